import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Controller } from '../daemon/controller.ts';
import { trashList } from '../control/past/trash.ts';
import { statusOf } from '../control/status/status.ts';
import type { Status } from '../control/contract/contract.ts';
import type { BehindHistory } from './behindHistory.ts';
import { diffsOf } from './diffs.ts';
import type { ChangeSetDetails, ExcerptLine, Overview, TrashListing } from './overview.ts';
import { recentChangeSets, recentConflicts, ROWS } from './recentChangeSets.ts';
import { idOf, isFile, pathOf } from './saves.ts';

/** Lines shown before and after the one that lint found. */
const AROUND = 2;
/** A dialplan file is read this far for an excerpt, bytes. */
const EXCERPT_BYTES = 1024 * 1024;
/** A line of an excerpt is cut here, characters. */
const EXCERPT_LINE = 200;
/** Rows of one change set that its page shows. */
const MAX_ROWS = 2_000;
/** The items of the trash, as far as the page lists them. */
const MAX_TRASH = 500;

/** The data of the page, from the same status that the command line prints. */
export async function overviewOf(controller: Controller, behind: BehindHistory): Promise<Overview> {
  const status = statusOf(controller);
  const rows = controller.history.find({ limit: ROWS });
  return {
    status,
    behind: behind.all,
    changeSets: recentChangeSets(rows),
    conflicts: recentConflicts(rows),
    excerpts: await excerptsOf(controller, status),
  };
}

/** @returns undefined for an unknown change set */
export function changeSetDetails(controller: Controller, id: string): ChangeSetDetails | undefined {
  const own = controller.history.find({ limit: MAX_ROWS, changeSet: id });
  const [first] = own;
  if (first === undefined) return undefined;
  // What the same save led to on other hosts has change sets of its own.
  const rows = controller.history.find({ limit: MAX_ROWS, changeSet: idOf(first) });
  return {
    id: idOf(first),
    directory: first.directory,
    dialplan: rows.find((row) => !isFile(row))?.detail ?? null,
    rows: rows.filter(isFile).map((row) => ({
      mds: row.mds,
      changeSet: row.changeSet,
      action: row.kind,
      path: pathOf(row),
      reason: row.reason ?? row.detail,
      at: new Date(row.at).toISOString(),
      actor: row.actor,
    })),
    diffs: diffsOf(controller.versions, first.directory, id, own),
  };
}

/** The newest items that can be restored. MDS that are not connected are listed. */
export async function trashListing(controller: Controller): Promise<TrashListing> {
  const { items, problems } = await trashList(controller, undefined);
  return { items: items.slice(0, MAX_TRASH), more: Math.max(0, items.length - MAX_TRASH), problems };
}

/** The text around each line that lint found, in Main's own files. */
async function excerptsOf(
  controller: Controller,
  { causes }: Status,
): Promise<Record<string, readonly ExcerptLine[]>> {
  const excerpts: Record<string, readonly ExcerptLine[]> = {};
  for (const { kind, path: blamed, cause } of causes) {
    const line = Number(/\bline (\d+)\b/.exec(cause)?.[1]);
    if (kind !== 'blocked' || blamed === undefined || !Number.isSafeInteger(line)) continue;
    const [name = '', ...rest] = blamed.split('/');
    const directory = controller.directories.get(name);
    const file = rest.join('/');
    // Only paths in Main's own manifest: never a path that an MDS made up.
    if (directory?.manifest.get(file)?.kind !== 'settled') continue;
    excerpts[`${blamed}:${line}`] = await excerpt(path.join(directory.replica.path, file), line);
  }
  return excerpts;
}

async function excerpt(file: string, line: number): Promise<ExcerptLine[]> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(EXCERPT_BYTES) });
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    const from = Math.max(0, line - 1 - AROUND);
    return lines
      .slice(from, line + AROUND)
      .map((text, i) => ({ line: from + i + 1, text: text.slice(0, EXCERPT_LINE) }));
  } catch {
    // It disappeared or can't be read; the status reports this.
    return [];
  }
}
