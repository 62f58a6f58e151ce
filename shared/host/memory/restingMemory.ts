import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often it is looked at, milliseconds. */
const EVERY = 5_000;
/** A process that used less than this share of a core since the last look is at rest. */
const AT_REST = 0.05;
const MEBIBYTE = 2 ** 20;
/** Garbage that is worth a pause: as much again as what is in use, and at least so many bytes. */
const WORTHWHILE = 32 * MEBIBYTE;

/** What decides whether to collect now. Pure. */
export type Memory = {
  /** Bytes that the JavaScript heap holds. */
  readonly heapUsed: number;
  /** Bytes that were in use after the last collection. */
  readonly live: number;
  /** The share of a core used since the last look. */
  readonly load: number;
};

/** True when this process rests and holds much that is probably garbage. */
export function isWorthCollecting({ heapUsed, live, load }: Memory): boolean {
  return load < AT_REST && heapUsed - live > Math.max(WORTHWHILE, live / 2);
}

/**
 * Gives memory back after a burst of work, once the process rests. On a host with much memory V8 sees no reason to: after
 * a first pass of 100,000 files 60 % of what the process held was garbage, and stayed so. The pause, some 50 to 100 ms
 * with as many files, comes when nothing else is to be done.
 * @returns disposed of, it ends
 */
export function restMemory(): Disposable {
  let live = 0;
  let last = { at: performance.now(), cpu: cpuMicroseconds() };
  let collect: (() => void) | undefined;
  const look = (): void => {
    const now = { at: performance.now(), cpu: cpuMicroseconds() };
    const load = (now.cpu - last.cpu) / 1000 / (now.at - last.at);
    last = now;
    if (!isWorthCollecting({ heapUsed: process.memoryUsage().heapUsed, live, load })) return;
    collect ??= collector();
    collect();
    live = process.memoryUsage().heapUsed;
    // The collection itself is no work.
    last = { at: performance.now(), cpu: cpuMicroseconds() };
  };
  const timer = setInterval(look, EVERY);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** V8 offers it only under a flag, which is taken back at once: with another set of flags no compile cache would fit. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return () => collect();
}
