import type { Contestant } from './contestant.ts';
import type { Sizes } from './options.ts';
import type { Passes } from './passes.ts';
import type { PrivateSshd } from './peers/privateSshd.ts';
import type { Results } from './results.ts';

/** What a scenario has to measure with. */
export type Bench = {
  readonly sizes: Sizes;
  readonly contestants: readonly Contestant[];
  /** A folder for what it needs; it is emptied after the scenario. */
  readonly folder: string;
  readonly passes: Passes;
  /** Undefined where no sshd is installed. */
  readonly sshd: PrivateSshd | undefined;
  readonly tell: (what: string) => void;
};

/** One part of the benchmark, by the name that `--only` takes. */
export type Scenario = {
  readonly name: string;
  /** What it measures, for `--help`. */
  readonly about: string;
  /** Programs that it can't do without, each with Debian's package. */
  readonly needs?: Readonly<Record<string, string>>;
  /** Measures it as often as the sizes say. @returns its tables; a failure is noted in them */
  readonly measure: (bench: Bench) => Promise<readonly Results[]>;
};
