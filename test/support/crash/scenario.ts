import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { treeOf } from '../harness/tree.ts';
import { check, contentsOf, type Expected, visiblePaths } from './checks.ts';
import { type Case, cutsOf } from './cuts.ts';
import { makeDatabase, makeReal } from './freshDisk.ts';
import { Pair, placesIn, type Terms } from './pair.ts';
import { imageAt, isInOrder, type PowerCut } from './powerCut.ts';
import type { Recording } from './recording.ts';
import { failNoMore, failOnce, record, stopRecording } from './systemCalls.ts';

/** A pair in sync, and what users then do on either side before the two work again. */
export type Scenario = {
  readonly terms: Terms;
  readonly prepare: (main: string, mds: string) => void;
  readonly change: (main: string, mds: string) => void;
  /** While both are at work; nothing of it is durable by itself. */
  readonly live?: (main: string, mds: string) => void;
  /** A person's command while both are at work, which may be cut short. Asked again, it does what is still to be done. */
  readonly ask?: (pair: Pair, places: ReturnType<typeof placesIn>) => Promise<void>;
};

/** A scenario as it went without any cut. */
export type Run = {
  readonly scenario: Scenario;
  readonly recording: Recording;
  readonly expected: Expected;
  /** Where it went. */
  readonly source: string;
};

export type Host = 'main' | 'mds';

/** A folder for disks that come and go; in memory where there is room. */
export function makeFolder(): string {
  const memory = '/dev/shm';
  const base = roomIn(memory) > 200_000_000 ? memory : (process.env['XDS_TEST_DIR'] ?? os.tmpdir());
  return realpathSync(mkdtempSync(path.join(base, 'xds-cut-')));
}

function roomIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/**
 * Carries a scenario out and records it.
 * @param begin called before the pair starts, @param work and once it has
 */
export async function runOnce(
  scenario: Scenario,
  source: string,
  begin: () => void = () => undefined,
  work: (pair: Pair) => Promise<void> = (pair) => pair.settle(),
): Promise<Run> {
  const places = placesIn(source);
  for (const each of [places.main, places.mds]) mkdirSync(each, { recursive: true });
  scenario.prepare(places.main, places.mds);
  const before = new Pair(source, scenario.terms);
  await before.start();
  await before.close();
  scenario.change(places.main, places.mds);
  const pair = new Pair(source, scenario.terms);
  const recording = record(
    new Map([
      ['main', [places.main]],
      ['mds', [places.mds]],
    ]),
    new Map([
      ['main', places.mainState],
      ['mds', places.mdsState],
    ]),
  );
  pair.onTaken = (path, hash) => recording.took(path, hash);
  const held = { main: contentsOf(places.main), mds: contentsOf(places.mds) };
  const paths = new Set([...visiblePaths(places.main), ...visiblePaths(places.mds)]);
  let unasked: Expected['unasked'];
  try {
    begin();
    await pair.start();
    scenario.live?.(places.main, places.mds);
    unasked = scenario.ask && { main: treeOf(places.main), mds: treeOf(places.mds) };
    await scenario.ask?.(pair, places);
    await work(pair);
    // Cuts of nothing would all be survived.
    const isWatched = recording.events.some(({ kind }) => kind === 'operation');
    assert.ok(
      isWatched,
      "no call for the disk was seen: what watches them was loaded after the product's modules",
    );
  } finally {
    stopRecording();
    await pair.close();
  }
  for (const each of [places.main, places.mds]) for (const name of visiblePaths(each)) paths.add(name);
  if (scenario.live !== undefined) {
    // A version that a user replaces on the same host may be lost.
    for (const host of ['main', 'mds'] as const) {
      const still = contentsOf(places[host]);
      for (const hash of held[host]) if (!still.has(hash)) held[host].delete(hash);
    }
  }
  const final = { main: treeOf(places.main), mds: treeOf(places.mds) };
  return { scenario, recording, source, expected: { held, paths, final, unasked } };
}

/** Every different way in which the power of a host may fail. */
export function casesOf(run: Run, host: Host, seed: number): Generator<Case> {
  return cutsOf(run.recording, host, seed);
}

/**
 * Cuts the power, starts both sides again, and checks what they come to.
 * @param loses what the host that was cut loses besides: its database
 * @throws with everything that is needed to see what happened
 */
export async function survive(
  run: Run,
  { cut, after }: Case,
  folder: string,
  loses?: 'state',
): Promise<void> {
  const { recording, scenario } = run;
  const places = placesIn(folder);
  const source = placesIn(run.source);
  let pair: Pair | undefined;
  try {
    const translation = makeReal(
      recording,
      after,
      new Map([
        [source.main, places.main],
        [source.mds, places.mds],
      ]),
    );
    const state = (host: Host, file: string, path: string): void => {
      const image = loses === 'state' && cut.host === host ? undefined : imageAt(recording, host, cut.at);
      makeDatabase(image, file, translation, { directory: places.directory, path });
    };
    state('main', places.mainState, places.main);
    state('mds', places.mdsState, places.mds);
    // What a program had not made durable may be cut in half: that is not ours to answer for.
    if (scenario.live === undefined) check.visible(places, run.expected);
    pair = new Pair(folder, scenario.terms);
    await pair.start();
    await pair.settle();
    if (scenario.live === undefined) check.visible(places, run.expected);
    // What a person asked for once is not planned again: where the disk reorders, single files of it may be missing.
    const isPlanned =
      scenario.live === undefined && (scenario.ask === undefined || isInOrder(recording, cut));
    if (loses === undefined && isPlanned) check.asWithoutIt(places, run.expected);
    check.nothingLost(places, run.expected.held);
    check.acknowledged(places, recording, cut.at, scenario.live !== undefined);
    check.quiet(places, pair);
    if (scenario.ask !== undefined && loses === undefined) {
      await scenario.ask(pair, places);
      await pair.settle();
      check.asWithoutIt(places, { ...run.expected, unasked: undefined });
    }
    await pair.close();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error([message, tell(recording, cut), ...(pair?.log ?? [])].join('\n'), { cause: error });
  } finally {
    await pair?.close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Lets one call of the disk or the database fail while both sides work; then they work on without it.
 * @param after so many calls that change something before the one that fails
 * @returns what failed; undefined when there were fewer calls
 */
export async function surviveFault(
  scenario: Scenario,
  after: number,
  code: 'ENOSPC' | 'EIO',
  folder: string,
  expected: Expected,
): Promise<string | undefined> {
  let fault: { readonly hit?: string } | undefined;
  let log: readonly string[] = [];
  const places = placesIn(folder);
  const begin = (): void => {
    fault = failOnce(after, code);
  };
  try {
    const { ask } = scenario;
    const asking = ask && { ask: (...asked: Parameters<typeof ask>) => ask(...asked).catch(() => undefined) };
    await runOnce({ ...scenario, ...asking }, folder, begin, async (pair) => {
      ({ log } = pair);
      failNoMore();
      await pair.settle();
      await ask?.(pair, places);
      await pair.settle();
      check.visible(places, expected);
      check.asWithoutIt(places, { ...expected, unasked: undefined });
      check.nothingLost(places, expected.held);
      check.quiet(places, pair);
    });
    return fault?.hit;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error([message, `failed: ${fault?.hit} (${code}, call ${after})`, ...log].join('\n'), {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function tell(recording: Recording, cut: PowerCut): string {
  const lines = recording.events.slice(0, cut.at).map((event, number) => {
    const missing = cut.missing.has(number) ? ' MISSING' : cut.torn.has(number) ? ' TORN' : '';
    if (event.kind === 'operation') {
      const { kind, ...rest } = event.operation;
      const text = JSON.stringify(rest, (key, value: unknown) =>
        typeof value === 'bigint'
          ? String(value)
          : key === 'data'
            ? '…'
            : key === 'inode' && typeof value === 'object'
              ? (value as { id: number }).id
              : value,
      );
      return `${number} ${event.host} ${kind} ${text}${missing}`;
    }
    if (event.kind === 'commit') return `${number} ${event.host} commit`;
    return `${number} ${JSON.stringify(event)}`;
  });
  return `power of ${cut.host} cut before event ${cut.at} (${cut.replay}):\n${lines.join('\n')}`;
}
