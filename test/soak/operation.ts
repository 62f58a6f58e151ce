import { DIRECTORIES, type DirectoryName } from '../support/harness/host.ts';
import type { Random } from './random.ts';

export type Place = { readonly host: string; readonly directory: DirectoryName; readonly path: string };

/** What a user of a host does. What can't be done (nothing is there, …) is left out. */
export type Deed =
  | { readonly do: 'write'; readonly at: Place; readonly size: number; readonly how: 'in-place' | 'renamed' }
  /** Open for writing for as long as it takes: no part of it may travel before it is closed. */
  | { readonly do: 'write-slowly'; readonly at: Place; readonly size: number; readonly takes: number }
  | { readonly do: 'append'; readonly at: Place; readonly size: number }
  /** Writes so many small files into a folder, some of which may be there. */
  | { readonly do: 'fill'; readonly at: Place; readonly files: number }
  | { readonly do: 'remove'; readonly at: Place }
  | { readonly do: 'rename'; readonly at: Place; readonly to: string }
  | { readonly do: 'remove-folder'; readonly at: Place }
  | { readonly do: 'make-folder'; readonly at: Place }
  | { readonly do: 'link'; readonly at: Place; readonly target: string }
  | { readonly do: 'touch'; readonly at: Place; readonly mode: number };

/** What befalls a host or the network. Times in milliseconds. */
export type Fault =
  | { readonly do: 'kill'; readonly host: string; readonly away: number }
  | { readonly do: 'terminate'; readonly host: string; readonly away: number }
  | { readonly do: 'cut'; readonly host: string; readonly lasts: number }
  | { readonly do: 'slow'; readonly host: string; readonly lasts: number }
  /** Stands still, as a machine does that swaps or is moved. */
  | { readonly do: 'freeze'; readonly host: string; readonly lasts: number }
  /** The network ends its connections without a word, changes a bit, lets little through, or ends an upload as it begins. */
  | { readonly do: 'reset' | 'corrupt'; readonly host: string }
  | { readonly do: 'throttle'; readonly host: string; readonly lasts: number; readonly rate: number }
  | { readonly do: 'reset-upload'; readonly host: string; readonly after: number }
  /** Callers of a daemon's control socket hang up at once, before the answer, or while it is read to them. */
  | { readonly do: 'hang-up'; readonly host: string; readonly callers: number }
  /** A person types a command on Main, and ends it before it has ended. */
  | {
      readonly do: 'command';
      readonly words: readonly string[];
      readonly lasts: number;
      readonly by: 'SIGINT' | 'SIGKILL';
    };

export type Operation = { readonly number: number; readonly wait: number; readonly what: Deed | Fault };

export type RoundPlan = {
  readonly hosts: readonly string[];
  /** Rounds before this one. */
  readonly round: number;
  readonly deeds: number;
  readonly kills: number;
  readonly cuts: number;
  /** Milliseconds that the deeds and faults are spread over. */
  readonly length: number;
};

const MIB = 1024 * 1024;
/** One round in so many has a freeze that is longer than a peer waits. */
const LONG_FREEZE_EVERY = 10;
const COMMANDS = 4;
const UPLOADS = 2;
const HANG_UPS = 3;
/** An MDS finds a new recording of 8 MiB, reads it and makes it durable before it asks Main anything, milliseconds. */
const BEFORE_UPLOAD = 400;
const NAMES = ['f0', 'f1', 'f2', 'f3', 'f4', 'f5'];
const FOLDERS = ['d0', 'd1', 'd2', 'd3'];
/** Folders of many files: more than a page of a manifest, a change set, and what is looked at together. */
const LARGE_FOLDERS = ['big0', 'big1'];
const MANY = [300, 1_200, 2_500];
/** A name that is a file at one time and a folder at another. */
const BOTH = 'x';
const OVERRIDES = ['xds_override_0', 'd0/xds_override_1', 'd1/xds_override_2/f0', 'xds_override_3/f1'];
const LOCALS = ['local-0', 'local-1', 'd0/local-2', 'd1/e0/local-3'];

/** Names that only one MDS has, in one-way directories: what is there stays, whatever happens elsewhere. */
export function isLocal(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('local-'));
}

export function isOverridePath(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('xds_override'));
}

/** The operations of one round, in order. Depends on nothing but the random numbers. */
export function planRound(random: Random, plan: RoundPlan, first: number): Operation[] {
  const groups: Group[] = [];
  const alone = (what: Deed | Fault): void => void groups.push({ what });
  for (let i = 0; i < plan.deeds; i++) alone(deed(random, plan.hosts));
  for (let i = 0; i < plan.kills; i++) alone(kill(random, plan.hosts));
  const mds = plan.hosts.filter((host) => host !== 'main');
  for (let i = 0; i < plan.cuts; i++) alone(cut(random, mds));
  if (random.chance(0.3)) alone({ do: 'slow', host: random.pick(mds), lasts: random.int(500, 4_000) });
  // Longer than a peer is waited for, so that it is given up; and shorter, so that it is not.
  const frozen = plan.round % LONG_FREEZE_EVERY === 1 ? 30_000 : random.int(100, 3_000);
  alone({ do: 'freeze', host: random.pick(plan.hosts), lasts: frozen });
  alone(fill(random, plan.hosts));
  alone(withMany(random, plan.hosts));
  for (let i = 0; i < COMMANDS; i++) alone(command(random, mds));
  for (let i = 0; i < HANG_UPS; i++)
    alone({ do: 'hang-up', host: random.pick(plan.hosts), callers: random.int(5, 30) });
  for (let i = 0; i < UPLOADS; i++) {
    const host = random.pick(mds);
    alone(largeRecording(random, host));
    alone({ do: 'reset-upload', host, after: random.pick([0, 0, 0, 300, 2_000, 500_000]) });
  }
  for (let i = 0; i < UPLOADS; i++) {
    const host = random.pick(mds);
    const next = { what: { do: 'reset', host } as const, wait: random.int(10, BEFORE_UPLOAD) };
    groups.push({ what: largeRecording(random, host), next });
  }
  const mean = plan.length / Math.max(1, groups.length);
  const all = random
    .shuffled(groups)
    .flatMap(({ what, next }) => [
      { wait: Math.round(random.next() * 2 * mean), what },
      ...(next === undefined ? [] : [next]),
    ]);
  return [...atRest(random, plan, mds), ...all].map((operation, i) => ({ number: first + i, ...operation }));
}

/**
 * A folder of many files gets another name while every host is at rest, so that each MDS may rename it as a whole; in the middle
 * of that one is killed, or a user puts a file of that MDS into it.
 */
function atRest(random: Random, { round }: RoundPlan, mds: readonly string[]): Omit<Operation, 'number'>[] {
  const [before, now] = [`big${2 + ((round + 1) % 2)}`, `big${2 + (round % 2)}`];
  const at: Place = { host: 'main', directory: 'sounds', path: before };
  if (round === 0) return [{ wait: 0, what: { do: 'fill', at: { ...at, path: now }, files: 300 } }];
  const local = { do: 'write', size: 100, how: 'in-place' } as const;
  const meanwhile = random.chance(0.8)
    ? kill(random, mds)
    : { ...local, at: { ...at, host: random.pick(mds), path: `${random.pick([before, now])}/local-4` } };
  return [
    { wait: 0, what: { do: 'rename', at, to: now } },
    { wait: random.int(0, 600), what: meanwhile },
  ];
}

/** What happens at a random time, and what follows it at once. */
type Group = { readonly what: Deed | Fault; readonly next?: Omit<Operation, 'number'> };

/** Its upload is resumed where it was interrupted, since it has 8 MiB or more. */
function largeRecording(random: Random, host: string): Deed {
  const at: Place = { host, directory: 'recordings', path: filePath(random) };
  return { do: 'write', at, size: random.int(8 * MIB, 9 * MIB), how: 'renamed' };
}

function fill(random: Random, hosts: readonly string[]): Deed {
  return { do: 'fill', at: largeFolder(random, hosts), files: random.pick(MANY) };
}

/** What happens to a folder of many files at once. */
function withMany(random: Random, hosts: readonly string[]): Deed {
  const at = largeFolder(random, hosts);
  switch (random.weighted({ fill: 2, rename: 2, 'remove-folder': 1 })) {
    case 'fill':
      return fill(random, hosts);
    case 'rename':
      return { do: 'rename', at, to: random.pick(LARGE_FOLDERS) };
    case 'remove-folder':
      return { do: 'remove-folder', at };
  }
}

function largeFolder(random: Random, hosts: readonly string[]): Place {
  const directory = random.pick(['moh', 'sounds', 'recordings', 'recordings'] as const);
  const host = directory === 'recordings' ? random.pick(hosts) : 'main';
  return { host, directory, path: random.pick(LARGE_FOLDERS) };
}

function kill(random: Random, hosts: readonly string[]): Fault {
  const host = random.pick(hosts);
  const away = random.chance(0.7) ? 0 : random.int(50, 1_500);
  return { do: random.chance(0.9) ? 'kill' : 'terminate', host, away };
}

function cut(random: Random, mds: readonly string[]): Fault {
  const host = random.pick(mds);
  const kind = random.weighted({ cut: 4, reset: 3, corrupt: 2, throttle: 1 });
  switch (kind) {
    case 'cut':
      return { do: kind, host, lasts: random.chance(0.8) ? random.int(50, 900) : random.int(900, 3_000) };
    case 'reset':
    case 'corrupt':
      return { do: kind, host };
    case 'throttle':
      return {
        do: kind,
        host,
        lasts: random.int(200, 2_000),
        rate: random.pick([20_000, 200_000, 2_000_000]),
      };
  }
}

function command(random: Random, mds: readonly string[]): Fault {
  const file = `recordings/${filePath(random)}`;
  const words = random.pick([
    ['sync'],
    ['sync', '--dry-run'],
    ['verify'],
    ['status', '--watch'],
    ['why', random.pick(mds), file],
    ['trash', 'list'],
    ['history', '--follow'],
    ['history', '--json', '--limit', '100000'],
    ['history', '--json', '--limit', '100000'],
  ]);
  return {
    do: 'command',
    words,
    lasts: random.int(100, 900),
    by: random.pick(['SIGINT', 'SIGKILL'] as const),
  };
}

function deed(random: Random, hosts: readonly string[]): Deed {
  const directory = random.weighted({
    dialplan: 15,
    moh: 15,
    sounds: 25,
    recordings: 45,
  }) satisfies keyof typeof DIRECTORIES;
  // One-way directories are changed on Main for the most part; on an MDS that is drift, or local.
  const host = directory !== 'recordings' && random.chance(0.75) ? 'main' : random.pick(hosts);
  const place = (path: string): Place => ({ host, directory, path });
  const special = random.next();
  if (special < 0.04) return write(random, place(random.pick(OVERRIDES)));
  if (special < 0.08 && host !== 'main' && directory !== 'recordings')
    return write(random, place(random.pick(LOCALS)));
  const kind = random.weighted({
    write: 40,
    'write-slowly': 4,
    append: directory === 'dialplan' ? 0 : 10,
    remove: 12,
    rename: 10,
    'move-folder': 4,
    'remove-folder': 2,
    'make-folder': 4,
    link: 4,
    touch: 4,
  });
  switch (kind) {
    case 'write':
      return write(random, place(filePath(random)));
    case 'write-slowly':
      return {
        do: 'write-slowly',
        at: place(filePath(random)),
        size: size(random),
        takes: random.int(200, 2_000),
      };
    case 'append':
      return { do: 'append', at: place(filePath(random)), size: random.int(1, 5_000) };
    case 'remove':
      return { do: 'remove', at: place(filePath(random)) };
    case 'rename':
      return { do: 'rename', at: place(filePath(random)), to: filePath(random) };
    case 'move-folder':
      return { do: 'rename', at: place(random.pick(FOLDERS)), to: random.pick(FOLDERS) };
    case 'remove-folder':
      return { do: 'remove-folder', at: place(random.pick([...FOLDERS, BOTH])) };
    case 'make-folder':
      return { do: 'make-folder', at: place(`${random.pick(FOLDERS)}/empty`) };
    case 'link':
      return { do: 'link', at: place(`link-${random.int(0, 2)}`), target: random.pick(NAMES) };
    case 'touch':
      return { do: 'touch', at: place(filePath(random)), mode: random.pick([0o600, 0o640, 0o664]) };
  }
}

function write(random: Random, at: Place): Deed {
  return { do: 'write', at, size: size(random), how: random.chance(0.6) ? 'in-place' : 'renamed' };
}

function filePath(random: Random): string {
  const kind = random.next();
  if (kind < 0.1) return random.chance(0.5) ? BOTH : `${BOTH}/${random.pick(NAMES)}`;
  if (kind < 0.45) return random.pick(NAMES);
  if (kind < 0.85) return `${random.pick(FOLDERS)}/${random.pick(NAMES)}`;
  return `${random.pick(FOLDERS)}/e0/${random.pick(NAMES)}`;
}

function size(random: Random): number {
  const kind = random.next();
  if (kind < 0.75) return random.int(0, 4_000);
  if (kind < 0.96) return random.int(4_000, 300_000);
  return random.int(300_000, 10_000_000);
}
