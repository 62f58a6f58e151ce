import { closeSync, readSync } from 'node:fs';
import type { Staging } from '#sync/apply/staging.ts';
import type { StagingResult } from '#core/changeSet.ts';
import { stagingSink } from '#sync/apply/stagingSink.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { FileEntry } from '#core/manifest/entry.ts';
import { baseOf, parentOf } from '#core/path/relative.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';

const CHUNK = 1024 * 1024;

type Wanted = { readonly path: string; readonly entry: FileEntry };

/**
 * Copies content that this host has under another name instead of fetching it, so a renamed folder costs no traffic.
 * The copy is verified like everything else.
 * @returns what has to be fetched
 * @throws when the directory is being closed
 */
export async function copyWhatIsHere(
  replica: Replica,
  staging: Staging,
  wanted: readonly Wanted[],
  take: (path: string, entry: FileEntry) => (outcome: StagingResult) => void,
): Promise<Wanted[]> {
  const sources = replica.index.filesWith(new Set(wanted.map(({ entry }) => entry.hash)));
  if (sources.size === 0) return [...wanted];
  using open = new OpenFolders(replica.path);
  const timeSlice = new TimeSlice();
  const missing: Wanted[] = [];
  for (const each of wanted) {
    const source = sources.get(each.entry.hash);
    if (
      source === undefined ||
      !(await copy(open, source, staging, each.entry, take(each.path, each.entry), timeSlice))
    ) {
      missing.push(each);
    }
  }
  return missing;
}

async function copy(
  open: OpenFolders,
  source: string,
  staging: Staging,
  entry: FileEntry,
  onResult: (outcome: StagingResult) => void,
  timeSlice: TimeSlice,
): Promise<boolean> {
  let copied = false;
  const sink = stagingSink(staging, entry, (outcome) => {
    // A failed copy is no error: the file is fetched instead.
    if (outcome.result !== 'staged') return;
    copied = true;
    onResult(outcome);
  });
  try {
    const fd = open.get(parentOf(source)).openFile(baseOf(source));
    try {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, entry.size));
      for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
        await sink.write(buffer.subarray(0, length));
        if (timeSlice.due) await timeSlice.pause();
      }
    } finally {
      closeSync(fd);
    }
    await sink.end();
  } catch {
    sink.refuse('the source went away');
    staging.throwIfEnding();
  }
  return copied;
}
