import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type Group = {
  readonly name: string;
  /** The files of an earlier turn start first; those of one turn start by their length. */
  readonly turn: number;
  /** How much of the machine's patience may be taken, once a file of it runs; see {@link weightOf}. */
  readonly capacity: number;
  /** What a file of it takes of that, where nothing else is known of the file. */
  readonly weight: number;
  /** How long one process may take, in milliseconds, before everything that it started is ended. */
  readonly limit: number;
  /** How long one test or suite may take, in milliseconds: one that hangs fails by its name, and those behind it still run. */
  readonly testLimit?: number;
  /** So many files run in one process, where they don't need one of their own; see {@link batchesOf}. */
  readonly together: number;
  /** Whether it tries so many cases that node:test must not follow their promises; see followNoPromises.ts. */
  readonly manyCases?: boolean;
};

const MINUTE = 60_000;
/** A file that works all the time takes 2 or 3 of it, and there are two cores. */
const CAPACITY = 7;

/** The folders of test/, in the order in which they run: what is quick and says most comes first. */
export const GROUPS: readonly Group[] = [
  {
    name: 'unit',
    turn: 0,
    capacity: CAPACITY,
    weight: 2,
    limit: 6 * MINUTE,
    testLimit: 2 * MINUTE,
    together: 20,
  },
  {
    name: 'property',
    turn: 1,
    capacity: CAPACITY,
    weight: 2,
    limit: 15 * MINUTE,
    together: 1,
    manyCases: true,
  },
  // These wait for the most part.
  { name: 'process', turn: 1, capacity: CAPACITY, weight: 1, limit: 15 * MINUTE, together: 2 },
  // These boot machines and measure times: one at a time, and nothing beside it.
  { name: 'lab', turn: 2, capacity: 1, weight: 1, limit: 20 * MINUTE, together: 1 },
];

/** What `npm test` runs: all that needs neither Debian's images nor a real Asterisk, but for the long soak. */
export const STANDARD: readonly string[] = ['check', 'unit', 'property', 'process'];

/** Files that are long, longest first: they start first, so that none of them is waited for alone at the end. */
const LONG = [
  'stateDisk',
  'enrolment',
  'mediaServers',
  'failingDisk',
  'lyingPeer',
  'everyCutOthers',
  'progress',
  'guard',
  'configuration',
  'everyCutDeliveries',
  'motion',
  'install',
  'page',
  'soak',
  'everySwap',
  'conflictTrash',
  'powerCut',
  'documentedCommands',
  'everyWrite',
  'demo',
  'securityMain',
  'upgrade',
  'securityAgent',
];

/** What files take that work all the time, or wait nearly all of it: a part of a core, in the measure of {@link CAPACITY}. */
const WEIGHTS: Readonly<Record<string, number>> = {
  everyCutOthers: 3,
  soak: 3,
  conflictTrash: 2,
  demo: 2,
  large: 2,
  securityMain: 2,
  securityRaces: 2,
  configuration: 0.5,
  enrolment: 0.5,
  failingDisk: 0.5,
  guard: 0.5,
  mediaServers: 0.5,
  stateDisk: 0.5,
};

/** How much of its group's capacity a file takes while it runs. */
export function weightOf(group: Group, file: string): number {
  return WEIGHTS[nameOf(file)] ?? group.weight;
}

/**
 * The test files of a group, by their paths in the checkout. In the same order everywhere, whatever the file system's is, so that
 * what fails in one place fails in the other, too.
 */
export function filesOf(group: Group, checkout: string): string[] {
  return globSync(path.join('test', group.name, '**/*.test.ts'), { cwd: checkout }).toSorted();
}

/** What concerns the whole process: hooks of every test in it, time, environment, mask, memory, what it reads. */
const WHOLE_PROCESS =
  /^(?:before|after)(?:Each)?\(|mock\.timers|process\.(?:umask|env\[|chdir|exitCode|on\()|memoryUsage|restingMemory|\/proc\/self\/io/m;

/**
 * Files that run in one process each time. To start a process costs more than most unit tests take, and to load what
 * tests of processes use about as much as one of their daemons.
 * @returns every file once, those that are long or concern the whole process in a batch of their own
 */
export function batchesOf(group: Group, files: readonly string[], checkout: string): string[][] {
  const { together } = group;
  if (together === 1) return files.map((file) => [file]);
  const isAlone = (file: string): boolean =>
    LONG.includes(nameOf(file)) ||
    weightOf(group, file) > group.weight ||
    WHOLE_PROCESS.test(readFileSync(path.join(checkout, file), 'utf8'));
  const shared = files.filter((file) => !isAlone(file));
  const batches = files.filter(isAlone).map((file) => [file]);
  for (let at = 0; at < shared.length; at += together) batches.push(shared.slice(at, at + together));
  return batches;
}

/** The order in which files of one turn start. */
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
