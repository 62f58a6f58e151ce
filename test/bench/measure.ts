import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkSame } from './content.ts';
import type { Pair } from './contestant.ts';
import { type Cost, CostMeter } from './processCost.ts';
import { quantile } from './spread.ts';

const FIRST_PASS_LIMIT = 600_000;
const LIVE_LIMIT = 60_000;
/** What a program still does after everything is visible (acknowledge, note down) is part of its cost. */
const AFTERWARDS = 1_500;

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
async function allVisible(
  { target, isConnected }: Pair,
  names: readonly string[],
  started: Promise<number>,
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
 * @returns milliseconds until each is visible on the other side, and the command, if there is one, has ended
 */
export async function measureEdits(pair: Pair, name: string): Promise<number[]> {
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
  const times: number[] = [];
  for (const [number, edit] of edits.entries()) {
    const now = number === 3 ? renamed : name;
    edit();
    const began = performance.now();
    const passed = pair.isConnected === undefined ? pair.again?.() : undefined;
    await Promise.all([sameThere(pair, now, began + FIRST_PASS_LIMIT), passed]);
    times.push(performance.now() - began);
    await sleep(AFTERWARDS);
  }
  return times;
}

/** Size and time are given to a file before it becomes visible. */
async function sameThere({ source, target }: Pair, name: string, deadline: number): Promise<void> {
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

async function oneVisible(file: string, deadline: number): Promise<void> {
  while (!existsSync(file)) {
    if (performance.now() > deadline)
      throw new Error(`${path.basename(file)} did not come within ${LIVE_LIMIT} ms`);
    await sleep(2);
  }
}

/** How long a pass takes that finds nothing to do; milliseconds. */
export async function measureAgain(again: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await again();
  return performance.now() - began;
}
