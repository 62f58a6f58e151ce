import * as z from 'zod';
import { isIP } from 'node:net';
import { isMdsName } from '#core/mdsName.ts';

/** A media server as XiVO's own list has it. */
export type MediaServer = { readonly name: string; readonly voipIp: string | null };

/** More than any XiVO has; a longer list is something else. */
const MAX_SERVERS = 1_000;

const address = z.string().refine((text) => isIP(text) !== 0);
const row = z
  .object({
    name: z.string(),
    voip_ip: address.nullish().catch(null),
    // Main itself stands in the list, too, as what can't be changed.
    read_only: z.boolean().optional(),
  })
  .transform(({ name, voip_ip, read_only }) => ({
    name,
    voipIp: voip_ip ?? null,
    isMain: read_only === true,
  }));
const rows = z.array(row).max(MAX_SERVERS);
/** A bare list, or one wrapped as XiVO's services do. */
const list = z.union([rows, z.object({ items: rows }).transform(({ items }) => items)]);

/**
 * The media servers in what a source answered.
 * @throws when that is no list of objects with a `name`, or one with no media server at all, since a list that was
 *   emptied by mistake must not suspend everybody
 */
export function readServers(answer: unknown): MediaServer[] {
  const parsed = list.safeParse(answer);
  if (!parsed.success)
    throw new Error('the answer is not a list of media servers, each with a name and optionally a voip_ip');
  const servers = parsed.data.filter(({ name, isMain }) => !isMain && isMdsName(name));
  if (servers.length === 0) throw new Error('the answer names no media server');
  return servers.map(({ name, voipIp }) => ({ name, voipIp }));
}
