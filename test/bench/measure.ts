import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkSame } from './content.ts';
import type { Pair } from './contestant.ts';
import { type Cost, CostMeter } from './processCost.ts';
import { quantile } from './spread.ts';

const FIRST_PASS_LIMIT = 600_000;
const LIVE_LIMIT = 60_000;
/** What a program still does after everything is visible (acknowledge, note down) is part of its cost. */
export const AFTERWARDS = 1_500;

export type FirstPass = {
  /** Until every file is visible on the other side and the command, if it is one, has ended; milliseconds. */
  readonly ms: number;
  /** The same, counted from the moment in which both sides were connected. */
  readonly msFromConnected: number | undefined;
  readonly cost: Cost;
};

/** Starts a pair's first pass and waits for all of its files. @throws when they are not there in time, or not whole */
export async function measureFirstPass(pair: Pair, names: readonly string[]): Promise<FirstPass> {
  // Flush the preparation to disk, so that no program pays for another's writes.
  spawnSync('sync');
  const meter = new CostMeter(pair.roots);
  try {
    const began = performance.now();
    const started = pair.start().then(() => performance.now());
    const [visible, commandEnded] = await Promise.all([allVisible(pair, names, started), started]);
    const ended = Math.max(visible.at, commandEnded);
    await sleep(AFTERWARDS);
    checkSame(pair.source, pair.target, names);
    return {
      ms: ended - began,
      msFromConnected: visible.connectedAt === undefined ? undefined : ended - visible.connectedAt,
      cost: meter.stop(),
    };
  } finally {
    meter.stop();
  }
}

/** Asks for one name after the other, each until it is there: a look costs next to nothing, however many files there are. */
export async function allVisible(
  { target, isConnected }: Pick<Pair, 'target' | 'isConnected'>,
  names: readonly string[],
  started: Promise<number> = Promise.resolve(0),
): Promise<{ at: number; connectedAt: number | undefined }> {
  const deadline = performance.now() + FIRST_PASS_LIMIT;
  let failed = false;
  // The failure itself is reported to the caller that waits for `started`.
  started.catch(() => (failed = true));
  let seen = 0;
  let connectedAt: number | undefined;
  for (;;) {
    if (connectedAt === undefined && isConnected?.() === true) connectedAt = performance.now();
    while (seen < names.length && existsSync(path.join(target, names[seen] ?? ''))) seen++;
    if (seen === names.length) return { at: performance.now(), connectedAt };
    if (failed) await started;
    if (performance.now() > deadline)
      throw new Error(`only the first ${seen} of ${names.length} files came within ${FIRST_PASS_LIMIT} ms`);
    await sleep(5);
  }
}

/** What is done to the one large file, each when the one before has arrived. */
export const EDITS = ['1 MiB changed inside', '1 MiB appended', '1 kB put in front', 'renamed'] as const;

/**
 * Changes the one large file in different ways.
 * @returns for each, milliseconds until it is visible on the other side, and the command, if there is one, has ended;
 *   and the bytes that travelled
 */
export async function measureEdits(pair: Pair, name: string): Promise<{ ms: number; bytes: number }[]> {
  const file = path.join(pair.source, name);
  const renamed = `renamed-${name}`;
  const inPlace = (position: number | undefined): void => {
    const fd = openSync(file, position === undefined ? 'a' : 'r+');
    writeSync(fd, randomBytes(1 << 20), 0, 1 << 20, position);
    closeSync(fd);
  };
  const inFront = (): void => {
    const outgoing = path.join(pair.outbox, name);
    writeFileSync(outgoing, randomBytes(1000));
    execFileSync('sh', ['-c', 'cat "$1" >> "$2"', '-', file, outgoing]);
    renameSync(outgoing, file);
  };
  const edits = [
    () => inPlace(Math.floor(statSync(file).size / 2)),
    () => inPlace(undefined),
    inFront,
    () => renameSync(file, path.join(pair.source, renamed)),
  ];
  const measured: { ms: number; bytes: number }[] = [];
  for (const [number, edit] of edits.entries()) {
    const now = number === 3 ? renamed : name;
    const sentBefore = pair.wireBytes?.() ?? Number.NaN;
    edit();
    const began = performance.now();
    const passed = pair.isConnected === undefined ? pair.again?.() : undefined;
    await Promise.all([sameThere(pair, now, began + FIRST_PASS_LIMIT), passed]);
    const ms = performance.now() - began;
    await sleep(AFTERWARDS);
    measured.push({ ms, bytes: (pair.wireBytes?.() ?? Number.NaN) - sentBefore });
  }
  return measured;
}

/** Waits for the newest state of a file. Size and time are given to a file before it becomes visible. */
export async function sameThere({ source, target }: Pair, name: string, deadline: number): Promise<void> {
  const wanted = statSync(path.join(source, name), { bigint: true });
  for (;;) {
    const there = statSync(path.join(target, name), { bigint: true, throwIfNoEntry: false });
    if (there?.size === wanted.size && there.mtimeNs / 1000n === wanted.mtimeNs / 1000n) return;
    if (performance.now() > deadline) throw new Error(`${name} did not come within ${FIRST_PASS_LIMIT} ms`);
    await sleep(5);
  }
}

export type Live = {
  /** Milliseconds from the rename until the file is visible on the other side. */
  readonly p50: number;
  readonly p99: number;
  readonly cost: Cost;
};

/** Renames files into a pair's source one by one, each when the one before has arrived. */
export async function measureLive(pair: Pair, changes: number): Promise<Live> {
  const meter = new CostMeter(pair.roots);
  try {
    const delays: number[] = [];
    for (let i = 0; i < changes; i++) {
      const name = `live-${i}.wav`;
      const outgoing = path.join(pair.outbox, name);
      writeFileSync(outgoing, `change ${i}`);
      // Not in step with any timer.
      await sleep(500 + ((i * 137) % 500));
      const began = performance.now();
      renameSync(outgoing, path.join(pair.source, name));
      await oneVisible(path.join(pair.target, name), began + LIVE_LIMIT);
      delays.push(performance.now() - began);
    }
    await sleep(AFTERWARDS);
    return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), cost: meter.stop() };
  } finally {
    meter.stop();
  }
}

export async function oneVisible(file: string, deadline: number): Promise<void> {
  while (!existsSync(file)) {
    if (performance.now() > deadline)
      throw new Error(`${path.basename(file)} did not come within ${LIVE_LIMIT} ms`);
    await sleep(2);
  }
}

/** How long a pass by command takes; milliseconds. */
export async function measureAgain({ again }: Pair): Promise<number> {
  const began = performance.now();
  await again?.();
  return performance.now() - began;
}

/** A second name of a file that a pass is to find changed; it lies outside of what is watched. */
const SECOND_NAME = 'second-name';

/** Gives a file a second name, before a pair is started. */
export function giveSecondName({ source, outbox }: Pair, name: string): void {
  linkSync(path.join(source, name), path.join(outbox, SECOND_NAME));
}

/**
 * Changes a file by its second name, of which no watch of its folder hears, and has a pass find it.
 * @returns milliseconds that the command takes, at the end of which the change has to be there
 */
export async function measureFound(pair: Pair, name: string): Promise<number> {
  appendFileSync(path.join(pair.outbox, SECOND_NAME), 'more');
  // What settles has settled: that wait is no part of the search.
  await sleep(AFTERWARDS);
  const ms = await measureAgain(pair);
  await sameThere(pair, name, performance.now());
  return ms;
}
