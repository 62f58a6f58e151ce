import { filesBelow } from './content.ts';
import type { Contestant, Layout, Pair } from './contestant.ts';
import { onFreshDisk } from './freshDisk.ts';
import { measureEdits, measureFirstPass, measureLive } from './measure.ts';
import type { Results } from './results.ts';

/** Of changes in one large file: when they are there, and what they send. */
export type EditResults = { readonly times: Results; readonly bytes: Results };

/** The tables of a first pass, and of what is measured after it. */
type PassResults = { readonly first: Results; readonly live?: Results; readonly edits?: EditResults };

/** Lays out pairs, one at a time or side by side, and writes down what was measured of each. */
export class Passes {
  readonly #folder: string;
  readonly #tell: (what: string) => void;

  constructor(folder: string, tell: (what: string) => void) {
    this.#folder = folder;
    this.#tell = tell;
  }

  /** One first pass, and live changes after it when there are results for them. */
  async once(
    contestant: Contestant,
    run: number,
    content: string,
    results: PassResults,
    toMain = false,
  ): Promise<void> {
    const { name, comparesPasses, liveChanges } = contestant;
    const changes = results.live === undefined ? 0 : liveChanges;
    if (!comparesPasses && changes === 0) return;
    const names = filesBelow(content);
    let asked = comparesPasses ? results.first : results.live;
    await this.withPair(
      contestant,
      { content, files: names.length, isFilled: false, toMain },
      async (pair) => {
        this.#tell(`run ${run}: ${name}, first pass of ${names.length} files`);
        const { ms, msFromConnected, cost } = await measureFirstPass(pair, names);
        if (comparesPasses) {
          results.first.add(name, run, { values: [ms / 1000], cost });
          if (msFromConnected !== undefined)
            results.first.add(`${name}, from agent connected`, run, { values: [msFromConnected / 1000] });
        }
        const [name0 = ''] = names;
        if (results.edits !== undefined && pair.again !== undefined) {
          asked = results.edits.times;
          await pair.settled?.();
          this.#tell(`run ${run}: ${name}, changes of one large file`);
          const edits = await measureEdits(pair, name0);
          results.edits.times.add(name, run, { values: edits.map(({ ms }) => ms / 1000) });
          results.edits.bytes.add(name, run, { values: edits.map(({ bytes }) => bytes / 1e6) });
        }
        if (changes === 0) return;
        asked = results.live;
        await pair.settled?.();
        this.#tell(`run ${run}: ${name}, ${changes} live changes`);
        const live = await measureLive(pair, changes);
        results.live?.add(name, run, { values: [live.p50, live.p99], cost: live.cost });
      },
    ).catch((error: unknown) => this.#failed(asked, name, run, error as Error));
  }

  /** The same, and then a first pass of the same files from the MDS to Main. A limit has no direction. */
  async bothWays(
    contestant: Contestant,
    run: number,
    content: string,
    { toMain, ...results }: PassResults & { readonly toMain: Results },
  ): Promise<void> {
    await this.once(contestant, run, content, results);
    if (contestant.kind === 'competitor') await this.once(contestant, run, content, { first: toMain }, true);
  }

  /** Pairs with the same files on both sides are set up once, and take turns with what is measured of them. */
  async sideBySide(
    contestants: readonly Contestant[],
    runs: number,
    content: string,
    { prepare, tasks }: { readonly prepare: (pair: Pair) => void; readonly tasks: readonly Task[] },
  ): Promise<void> {
    const files = filesBelow(content).length;
    const pairs: { readonly name: string; readonly pair: Pair }[] = [];
    const setUp = async (waiting: readonly Contestant[]): Promise<void> => {
      const [contestant, ...others] = waiting;
      if (contestant === undefined) return this.#takeTurns(pairs, runs, tasks);
      const { name } = contestant;
      this.#tell(`${name}, ${files} files that are the same on both sides`);
      let isSetUp = false;
      await this.withPair(contestant, { content, files, isFilled: true, toMain: false }, async (pair) => {
        prepare(pair);
        await pair.start();
        await pair.settled?.();
        pairs.push({ name, pair });
        isSetUp = true;
        await setUp(others);
      }).catch((error: unknown) => {
        for (const { results } of tasks) this.#failed(results, name, 0, error as Error);
      });
      if (!isSetUp) await setUp(others);
    };
    await setUp(contestants.filter(({ hasCommand }) => hasCommand));
  }

  async #takeTurns(
    pairs: readonly { readonly name: string; readonly pair: Pair }[],
    runs: number,
    tasks: readonly Task[],
  ): Promise<void> {
    // The first pass after the setup may still write down what it found: it is not counted.
    for (const { pair } of pairs) await pair.again?.();
    for (let run = 1; run <= runs; run++)
      for (const { what, results, measure } of tasks)
        for (const { name, pair } of rotated(pairs, run)) {
          this.#tell(`run ${run}: ${name}, ${what}`);
          await this.attempt(results, name, run, async () =>
            results.add(name, run, { values: [(await measure(pair)) / 1000] }),
          );
        }
  }

  /** Carries out one measurement; an error of it is noted in the table. */
  async attempt(results: Results, name: string, run: number, measure: () => Promise<void>): Promise<void> {
    await measure().catch((error: unknown) => this.#failed(results, name, run, error as Error));
  }

  #failed(results: Results | undefined, name: string, run: number, error: Error): void {
    this.#tell(`${name} failed: ${error.message}`);
    results?.fail(name, run, error);
  }

  /** Lays out a pair of one contestant on a disk of its own, and ends it after its use. */
  async withPair(
    contestant: Contestant,
    layout: Omit<Layout, 'folder'>,
    use: (pair: Pair) => Promise<void>,
  ): Promise<void> {
    await onFreshDisk(this.#folder, contestant.name, async (folder) => {
      const pair = await contestant.lay({ ...layout, folder });
      try {
        await use(pair);
      } finally {
        await pair.end();
      }
    });
  }
}

/** What is measured of pairs that take turns, milliseconds. */
export type Task = {
  readonly what: string;
  readonly results: Results;
  readonly measure: (pair: Pair) => Promise<number>;
};

/** The same in another order in each run, so that the predecessor varies. */
export function rotated<T>(all: readonly T[], run: number): T[] {
  const first = (run - 1) % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}
