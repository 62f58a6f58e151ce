import { type Dirent, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { ControllerPlaces } from '#host/config/places.ts';

/** Beginnings of the names that `backup` and `restore` give to what they remove again at their end. */
const BEGINNINGS = {
  /** A folder in the state folder, with a copy of the state. */
  stateCopy: '.backup-',
  /** A part of a backup, beside the file that it becomes: maybe on a file server, where other hosts write theirs. */
  partial: `.xivo-xds-sync-backup-${hostname()}@`,
  /** A folder beside the state folder, with what a backup contains. */
  unpacked: '.xivo-xds-sync-restore-',
};

type Kind = keyof typeof BEGINNINGS;

/** Process id and start of the process, then what makes the name unique. */
const OWNER = /^(\d+)-(\d+)-/;

/**
 * The beginning of a name for what this process makes and removes again. It names the process, so that a later one can
 * recognise what a killed one left.
 */
export function workName(kind: Kind): string {
  return `${BEGINNINGS[kind]}${process.pid}-${startOf(process.pid) ?? 0}-`;
}

/**
 * What a `backup` or `restore` that was killed left on this host. It can contain Main's private key.
 * @param besideFile the file that a backup is written to; without it, parts of backups are not looked for
 * @returns absolute paths
 */
export function findRemains(
  places: Pick<ControllerPlaces, 'stateFolder'>,
  besideFile?: string,
): readonly string[] {
  return [
    ...remainsIn(places.stateFolder, 'stateCopy'),
    ...remainsIn(dirname(places.stateFolder), 'unpacked'),
    ...(besideFile === undefined ? [] : remainsIn(dirname(besideFile), 'partial')),
  ];
}

/**
 * Removes what {@link findRemains} finds.
 * @returns what was removed
 * @throws the error of the file system
 */
export function removeRemains(
  places: Pick<ControllerPlaces, 'stateFolder'>,
  besideFile?: string,
): readonly string[] {
  const found = findRemains(places, besideFile);
  for (const path of found) rmSync(path, { recursive: true, force: true });
  return found;
}

function remainsIn(folder: string, kind: Kind): string[] {
  const isFolder = kind !== 'partial';
  return entriesOf(folder)
    .filter((entry) => entry.name.startsWith(BEGINNINGS[kind]))
    .filter((entry) => (isFolder ? entry.isDirectory() : entry.isFile()))
    .filter(({ name }) => !hasOwner(name.slice(BEGINNINGS[kind].length)))
    .map(({ name }) => join(folder, name))
    .filter((path) => isOurs(path));
}

/** Nothing is found in a folder that does not exist, or that this user may not read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Whether the process that made it still runs. Names that don't name one were made by an older version. */
function hasOwner(rest: string): boolean {
  const [, pid, start] = OWNER.exec(rest) ?? [];
  return pid !== undefined && startOf(Number(pid)) === start;
}

/** A backup may be written to a folder in which others write, too. */
function isOurs(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}

/**
 * When a process started, in clock ticks since boot: with its id, that names one process.
 * @returns undefined when there is none, or only its exit code is left
 */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the program's name, in parentheses; it may contain any character.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return ['Z', 'X'].includes(fields[0] ?? 'X') ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
