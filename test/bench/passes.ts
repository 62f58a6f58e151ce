import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { filesBelow } from './content.ts';
import type { Contestant, Layout, Pair } from './contestant.ts';
import { FreshDisk } from './freshDisk.ts';
import { measureAgain, measureEdits, measureFirstPass, measureLive } from './measure.ts';
import type { Results } from './results.ts';

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
    results: { readonly first: Results; readonly live?: Results; readonly edits?: Results },
    toMain = false,
  ): Promise<void> {
    const { name, comparesPasses, liveChanges } = contestant;
    const changes = results.live === undefined ? 0 : liveChanges;
    if (!comparesPasses && changes === 0) return;
    const names = filesBelow(content);
    let asked = comparesPasses ? results.first : results.live;
    await this.#withPair(
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
          asked = results.edits;
          await pair.settled?.();
          this.#tell(`run ${run}: ${name}, changes of one large file`);
          const times = await measureEdits(pair, name0);
          results.edits.add(name, run, { values: times.map((each) => each / 1000) });
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

  /** Passes that find nothing to do: all pairs are set up once, and take turns. */
  async idle(
    contestants: readonly Contestant[],
    runs: number,
    content: string,
    results: Results,
  ): Promise<void> {
    const files = filesBelow(content).length;
    const turns: { name: string; again: () => Promise<void> }[] = [];
    const setUp = async (waiting: readonly Contestant[]): Promise<void> => {
      const [contestant, ...others] = waiting;
      if (contestant === undefined) return this.#takeTurns(turns, runs, results);
      this.#tell(`${contestant.name}, ${files} files that are the same on both sides`);
      let isSetUp = false;
      await this.#withPair(contestant, { content, files, isFilled: true, toMain: false }, async (pair) => {
        await pair.start();
        await pair.settled?.();
        if (pair.again !== undefined) turns.push({ name: contestant.name, again: pair.again });
        isSetUp = true;
        await setUp(others);
      }).catch((error: unknown) => this.#failed(results, contestant.name, 0, error as Error));
      if (!isSetUp) await setUp(others);
    };
    await setUp(contestants.filter(({ hasCommand }) => hasCommand));
  }

  async #takeTurns(
    turns: readonly { name: string; again: () => Promise<void> }[],
    runs: number,
    results: Results,
  ): Promise<void> {
    // The first pass after the setup may still write down what it found: it is not counted.
    for (const { again } of turns) await again();
    for (let run = 1; run <= runs; run++)
      for (const { name, again } of rotated(turns, run)) {
        this.#tell(`run ${run}: ${name}, nothing to do`);
        try {
          results.add(name, run, { values: [(await measureAgain(again)) / 1000] });
        } catch (error) {
          this.#failed(results, name, run, error as Error);
        }
      }
  }

  #failed(results: Results | undefined, name: string, run: number, error: Error): void {
    this.#tell(`${name} failed: ${error.message}`);
    results?.fail(name, run, error);
  }

  async #withPair(
    contestant: Contestant,
    layout: Omit<Layout, 'folder'>,
    use: (pair: Pair) => Promise<void>,
  ): Promise<void> {
    const folder = path.join(this.#folder, contestant.name.replaceAll(/[^a-z0-9]+/g, '-'));
    mkdirSync(folder);
    const disk = FreshDisk.mount(folder);
    try {
      const pair = await contestant.lay({ ...layout, folder });
      try {
        await use(pair);
      } finally {
        await pair.end();
      }
    } finally {
      disk?.[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** The same in another order in each run, so that the predecessor varies. */
export function rotated<T>(all: readonly T[], run: number): T[] {
  const first = (run - 1) % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}
