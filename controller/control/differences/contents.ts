import { MAX_CONTENT_BYTES } from '#protocol/limits.ts';
import { textDifference } from '#host/control/textDifference.ts';
import { readBeginning } from '#host/fs/readBeginning.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { formatBytes } from '#core/text/size.ts';
import type { Controller } from '../../daemon/controller.ts';
import type { Difference, TextDifference } from '../contract/contract.ts';
import { comparable } from './listing.ts';
import { whyNonsense } from '../nonsense.ts';

/** Number of files whose texts are compared. */
const MAX_FILES = 20;

/** The texts of Main and of an MDS, if they exist and are not too large. */
export async function contentsOf(
  controller: Controller,
  mds: string,
  differences: readonly Difference[],
): Promise<TextDifference[]> {
  // Overrides are never read, and excluded files do not concern Main.
  const files = differences.filter(
    ({ kind, type }) => type === 'file' && kind !== 'override' && kind !== 'excluded' && kind !== 'skipped',
  );
  const found: TextDifference[] = [];
  for (const each of files.slice(0, MAX_FILES)) found.push(await compare(controller, mds, each));
  return found;
}

async function compare(
  controller: Controller,
  mds: string,
  { directory, path, item }: Difference,
): Promise<TextDifference> {
  const without = (note: string): TextDifference => ({ directory, path, lines: [], more: 0, note });
  const answer = await comparable(controller, mds).command({
    do: 'content',
    directory,
    path,
    ...(item !== null && { item }),
  });
  const { body } = answer;
  if (!answer.ok) return without(answer.lines.join('; '));
  if (body?.to !== 'content') return without(whyNonsense(body));
  const there = Buffer.from(body.base64, 'base64');
  try {
    const here = ofMain(controller, directory, path);
    for (const { content, size } of [here, { content: there, size: body.size }]) {
      if (size > content.length) return without(`too large to be shown: ${formatBytes(size)}`);
      if (content.includes(0)) return without('no text');
    }
    return { directory, path, ...(await textDifference(here.content, there)), note: null };
  } catch (error) {
    return without(`Main's can't be read: ${errnoOf(error)}`);
  }
}

function ofMain(
  { directories }: Controller,
  directory: string,
  path: string,
): { readonly content: Buffer; readonly size: number } {
  const replica = directories.get(directory)?.replica;
  const entry = replica && entryOf(replica.get(path));
  if (replica === undefined || entry === undefined) return { content: Buffer.alloc(0), size: 0 };
  return readBeginning(replica.path, path, MAX_CONTENT_BYTES);
}
