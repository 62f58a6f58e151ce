import { type Arbitrary, array, nat, noBias, tuple } from 'fast-check';
import { PATHS } from './names.ts';

export type SideName = 'main' | 'mds1' | 'mds2';
export type MdsName = 'mds1' | 'mds2';

/** What users do: each creates what is missing on the way and replaces what stands in the way. */
export type UserAct =
  | {
      readonly do: 'write' | 'mkdir' | 'link' | 'special' | 'touch' | 'chmod' | 'remove';
      readonly on: SideName;
      readonly path: string;
      /** How far time goes on before. */
      readonly tick: number;
    }
  | { readonly do: 'rename'; readonly on: SideName; readonly path: string; readonly to: string }
  /** A file is copied from another host by hand, its mtime kept. */
  | { readonly do: 'copy'; readonly on: SideName; readonly from: SideName; readonly path: string }
  | {
      readonly do: 'override' | 'drop override';
      readonly on: SideName;
      readonly folder: string;
      readonly asFolder: boolean;
    };

/** What the program does, or suffers. */
export type ProgramAct =
  | { readonly do: 'pass'; readonly by: MdsName; readonly only?: readonly string[]; readonly blur?: PassBlur }
  /** A plan is made now and carried out later, when things may have changed. */
  | { readonly do: 'plan' | 'carry out'; readonly by: MdsName }
  /** Main did its part; the agent never heard of it and did not do its own. */
  | { readonly do: 'pass with lost answer'; readonly by: MdsName }
  /** Only the first steps are carried out: no room, a file that can't be written. */
  | { readonly do: 'pass cut short'; readonly by: MdsName; readonly steps: number }
  | { readonly do: 'lose ledger'; readonly by: MdsName }
  | { readonly do: 'lose tombstones' };

export type Operation = UserAct | ProgramAct;

export type PassBlur = {
  readonly on: 'main' | 'mds';
  readonly path: string;
  readonly kind: 'moving' | 'unreadable';
};

export type History = {
  readonly direction: 'to-mds' | 'both';
  readonly deletions: 'main' | 'both' | 'never';
  readonly operations: readonly Operation[];
};

const SIDES = ['main', 'mds1', 'mds2'] as const;
const MDSS = ['mds1', 'mds2'] as const;
const DIRECTIONS = ['both', 'to-mds'] as const;
const DELETIONS = ['main', 'both', 'never'] as const;

/** How often each is drawn. */
const KINDS: readonly Operation['do'][] = [
  ...repeat('write', 10),
  ...repeat('pass', 17),
  ...repeat('remove', 6),
  ...repeat('mkdir', 3),
  ...repeat('touch', 2),
  ...repeat('chmod', 2),
  ...repeat('rename', 4),
  ...repeat('link', 2),
  ...repeat('special', 1),
  ...repeat('copy', 2),
  ...repeat('override', 3),
  ...repeat('drop override', 1),
  ...repeat('plan', 3),
  ...repeat('carry out', 3),
  ...repeat('pass with lost answer', 1),
  ...repeat('pass cut short', 2),
  ...repeat('lose ledger', 1),
  ...repeat('lose tombstones', 1),
];

const MAX = 2 ** 31 - 1;
const MOST_OPERATIONS = 40;

/**
 * Histories, each drawn as a row of numbers and then read as operations: drawing records would cost more than
 * running them.
 */
export const histories: Arbitrary<History> = noBias(
  tuple(nat(5), array(nat(MAX), { minLength: 1, maxLength: MOST_OPERATIONS, size: 'max' })),
).map(([policy, numbers]) => ({
  direction: pick(DIRECTIONS, policy % 2),
  deletions: pick(DELETIONS, Math.floor(policy / 2)),
  operations: numbers.map(operationOf),
}));

function operationOf(number: number): Operation {
  let rest = number;
  const take = (below: number): number => {
    const taken = rest % below;
    rest = Math.floor(rest / below);
    return taken;
  };
  const kind = pick(KINDS, take(KINDS.length));
  const side = take(6);
  // Half of what users do happens on Main.
  const on = pick(SIDES, side < 3 ? side : side === 5 ? take(3) : 0);
  const by = pick(MDSS, side % 2);
  const path = pick(PATHS, take(PATHS.length));
  switch (kind) {
    case 'write':
    case 'mkdir':
    case 'link':
    case 'special':
    case 'touch':
    case 'chmod':
    case 'remove':
      return { do: kind, on, path, tick: take(3) };
    case 'rename':
      return { do: kind, on, path, to: pick(PATHS, take(PATHS.length)) };
    case 'copy':
      return { do: kind, on, from: pick(SIDES, take(3)), path };
    case 'override':
    case 'drop override':
      return { do: kind, on, folder: take(4) === 0 ? '' : path, asFolder: take(2) === 1 };
    case 'pass':
      return { do: kind, by, ...partly(take, path), ...blurred(take) };
    case 'pass cut short':
      return { do: kind, by, steps: take(4) };
    case 'plan':
    case 'carry out':
    case 'pass with lost answer':
    case 'lose ledger':
      return { do: kind, by };
    case 'lose tombstones':
      break;
  }
  return { do: kind };
}

function partly(take: (below: number) => number, path: string): { only?: string[] } {
  const kind = take(4);
  if (kind < 2) return {};
  return { only: kind === 2 ? [path] : [path, pick(PATHS, take(PATHS.length))] };
}

function blurred(take: (below: number) => number): { blur?: PassBlur } {
  if (take(4) !== 3) return {};
  const kind = take(2) === 0 ? 'moving' : 'unreadable';
  return { blur: { on: take(2) === 0 ? 'main' : 'mds', path: pick(PATHS, take(PATHS.length)), kind } };
}

function repeat(kind: Operation['do'], times: number): Operation['do'][] {
  return Array.from({ length: times }, () => kind);
}

function pick<T>(from: readonly T[], index: number): T {
  const picked = from[index];
  if (picked === undefined) throw new RangeError(`${index} is not below ${from.length}`);
  return picked;
}
