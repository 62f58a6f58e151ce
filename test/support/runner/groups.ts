import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type Group = {
  readonly name: string;
  /** Groups that share a pool run side by side; pools run one after another. */
  readonly pool: number;
  /** How much of the machine's patience the files that run at a time may take together; see {@link weightOf}. */
  readonly capacity: number;
  /** How long one process may take, in milliseconds, before everything that it started is ended. */
  readonly limit: number;
  /** So many files run in one process, where they don't need one of their own; see {@link batchesOf}. */
  readonly together: number;
};

const MINUTE = 60_000;

/** The folders of test/, in the order in which they run: what is quick and says most comes first. */
export const GROUPS: readonly Group[] = [
  { name: 'unit', pool: 0, capacity: 2, limit: 5 * MINUTE, together: 20 },
  { name: 'property', pool: 1, capacity: 5, limit: 15 * MINUTE, together: 1 },
  // These wait for the most part.
  { name: 'process', pool: 1, capacity: 5, limit: 15 * MINUTE, together: 2 },
  // These boot machines and measure times: one at a time.
  { name: 'lab', pool: 2, capacity: 1, limit: 20 * MINUTE, together: 1 },
];

/** What `npm test` runs: all that needs neither Debian's images nor a real Asterisk, but for the long soak. */
export const STANDARD: readonly string[] = ['check', 'unit', 'property', 'process'];

/** Files that are long, longest first: they start first, so that none of them is waited for alone at the end. */
const LONG = [
  'enrolment',
  'soak',
  'stateDisk',
  'install',
  'everyCutOthers',
  'failingDisk',
  'mediaServers',
  'page',
  'conflictTrash',
  'everyCutDeliveries',
  'guard',
  'demo',
  'lyingPeer',
  'progress',
  'documentedCommands',
  'securityMain',
  'motion',
  'everyWrite',
  'securityAgent',
  'upgrade',
];

/** Files that work more than they wait take the place of several. */
const WEIGHTS: Readonly<Record<string, number>> = {
  everyCutDeliveries: 2,
  everyCutOthers: 2,
  everyWrite: 2,
  powerCut: 2,
  soak: 2,
  large: 2,
};

/** How much of its group's capacity a file takes while it runs. */
export function weightOf(file: string): number {
  return WEIGHTS[nameOf(file)] ?? 1;
}

/** The test files of a group, by their paths in the checkout. */
export function filesOf(group: Group, checkout: string): string[] {
  return globSync(path.join('test', group.name, '**/*.test.ts'), { cwd: checkout });
}

/** What concerns the whole process: hooks of every test in it, time, environment, mask, memory. */
const WHOLE_PROCESS =
  /^(?:before|after)(?:Each)?\(|mock\.timers|process\.(?:umask|env\[|chdir|exitCode|on\()|memoryUsage|restingMemory/m;

/**
 * Files that run in one process each time. To start a process costs more than most unit tests take, and to load what
 * tests of processes use about as much as one of their daemons.
 * @returns every file once, those that are long or concern the whole process in a batch of their own
 */
export function batchesOf({ together }: Group, files: readonly string[], checkout: string): string[][] {
  if (together === 1) return files.map((file) => [file]);
  const isAlone = (file: string): boolean =>
    LONG.includes(nameOf(file)) ||
    weightOf(file) > 1 ||
    WHOLE_PROCESS.test(readFileSync(path.join(checkout, file), 'utf8'));
  const shared = files.filter((file) => !isAlone(file));
  const batches = files.filter(isAlone).map((file) => [file]);
  for (let at = 0; at < shared.length; at += together) batches.push(shared.slice(at, at + together));
  return batches;
}

/** The order in which files of a pool start. */
export function byLength(a: string, b: string): number {
  const place = (file: string): number => {
    const found = LONG.indexOf(nameOf(file));
    return found === -1 ? LONG.length : found;
  };
  return place(a) - place(b) || (a < b ? -1 : 1);
}

/** Whether `wanted` means this file: its group, its path, its name, or the name without `.test.ts`. */
export function isMeant(wanted: string, group: Group, file: string): boolean {
  return [group.name, file, `./${file}`, path.basename(file), nameOf(file)].includes(wanted);
}

function nameOf(file: string): string {
  return path.basename(file, '.test.ts');
}
