import { Excludes } from '#core/path/excludes.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { type Plan, plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Policy } from '#core/plan/policy.ts';
import type { RemovalBudget } from '#core/plan/guard.ts';
import { foldersAbove } from '../../property/model/names.ts';
import { type Blur, Side } from '../../property/model/side.ts';

const OWNER = { owner: 'asterisk', group: 'asterisk', uid: 100, gid: 100 };

export const folder: Entry = { type: 'folder', mode: 0o755, ...OWNER };

export function file(hash: string, changed: { mtime?: string; mode?: number } = {}): FileEntry {
  return { type: 'file', size: 1, hash, mtime: '100', mode: 0o644, ...OWNER, ...changed };
}

export function link(target: string): Entry {
  return { type: 'link', target, ...OWNER };
}

/** One situation: what lies where, before a pass. Folders on the way to a path need not be named. */
export type Case = Partial<Omit<Policy, 'name'>> & {
  readonly main?: Content;
  readonly mds?: Content;
  readonly ledger?: Record<string, Entry>;
  readonly tombstones?: Record<string, Entry>;
  readonly mainOverrides?: readonly string[];
  readonly mdsOverrides?: readonly string[];
  readonly mainBlur?: Blur;
  readonly mdsBlur?: Blur;
  readonly mainHeld?: string;
  readonly mdsHeld?: string;
  readonly clockOffset?: bigint;
  readonly mainClocks?: Record<string, bigint>;
  readonly budget?: Partial<RemovalBudget>;
  readonly excludes?: readonly string[];
  readonly paths?: readonly string[];
};
type Content = Record<string, Entry | 'special'>;

/** Plans a one-way directory, or what the case says. */
export function planOf(given: Case): Plan {
  return plan(inputOf(given));
}

/** The same situation, as the planner gets it. */
export function inputOf(given: Case): PlanInput {
  const { direction = 'to-mds', deletions = 'main', paths } = given;
  return {
    policy: { name: 'sounds', direction, deletions },
    main: sideOf(given.main, given.mainOverrides, given.mainBlur, given.mainHeld),
    mds: sideOf(given.mds, given.mdsOverrides, given.mdsBlur, given.mdsHeld),
    ledger: new Map(Object.entries(withFolders(given.ledger ?? {}))),
    tombstones: new Map(Object.entries(given.tombstones ?? {})),
    clockOffset: given.clockOffset ?? 0n,
    excludes: new Excludes(given.excludes ?? []),
    mainClocks: new Map(Object.entries(given.mainClocks ?? {})),
    budget: {
      guard: { percent: 25, files: 10 },
      agreedFiles: 0,
      removedLately: 0,
      additive: undefined,
      confirmed: false,
      ...given.budget,
    },
    ...(paths && { paths }),
  };
}

/** The kinds of decisions by path, as far as something is to be done. */
export function kindsOf(given: Case): Record<string, string> {
  return Object.fromEntries([...planOf(given).decisions].map(([path, { kind }]) => [path, kind]));
}

function sideOf(content: Content = {}, overrides: readonly string[] = [], blur?: Blur, held?: string): Side {
  const side = new Side('side');
  for (const [path, node] of Object.entries(withFolders(content))) side.put(path, node);
  for (const path of overrides) side.overrides.set(path, 'its own');
  side.blur = blur;
  side.held = held;
  return side;
}

function withFolders<T>(content: Record<string, T>): Record<string, T | Entry> {
  const all: Record<string, T | Entry> = {};
  for (const [path, node] of Object.entries(content)) {
    for (const above of foldersAbove(path)) all[above] ??= folder;
    all[path] = node;
  }
  return all;
}
