import * as z from 'zod';
import { isIP } from 'node:net';
import { isMdsName } from '#core/mdsName.ts';

/** A media server as XiVO's own list has it. */
export type MediaServer = { readonly name: string; readonly voipIp: string | null };

/** A longer list is certainly wrong. */
const MAX_SERVERS = 1_000;

const address = z.string().refine((text) => isIP(text) !== 0);
const row = z
  .object({
    name: z.string(),
    voip_ip: address.nullish().catch(null),
    // The list contains Main itself, as read-only.
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
 * Parses the answer of a source.
 * @throws when it is not a list of objects with a `name`, or contains no media server: a list that was emptied by
 * mistake must not suspend every MDS
 */
export function readServers(answer: unknown): MediaServer[] {
  const parsed = list.safeParse(answer);
  if (!parsed.success)
    throw new Error('the answer is not a list of media servers, each with a name and optionally a voip_ip');
  const servers = parsed.data.filter(({ name, isMain }) => !isMain && isMdsName(name));
  if (servers.length === 0) throw new Error('the answer names no media server');
  return servers.map(({ name, voipIp }) => ({ name, voipIp }));
}
