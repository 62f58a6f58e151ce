import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Interval of the check, milliseconds. */
const EVERY = 5_000;
/** A process that used less than this share of a core since the last check is at rest. */
const AT_REST = 0.05;
const MEBIBYTE = 2 ** 20;
/** Least garbage worth a collection, bytes; also at least as much as is in use. */
const WORTHWHILE = 32 * MEBIBYTE;

/** Input of the decision whether to collect now. */
export type Memory = {
  /** Bytes in the JavaScript heap. */
  readonly heapUsed: number;
  /** Bytes in use after the last collection. */
  readonly live: number;
  /** Share of a core used since the last check. */
  readonly load: number;
};

/** True when the process is at rest and much of its heap is probably garbage. Pure. */
export function isWorthCollecting({ heapUsed, live, load }: Memory): boolean {
  return load < AT_REST && heapUsed - live > Math.max(WORTHWHILE, live / 2);
}

/**
 * Returns memory to the system after a burst of work, once the process is at rest. V8 does not do so by itself on a host
 * with much memory: after a first pass of 100,000 files, 60 % of the heap stayed garbage. The collection pauses the
 * process for 50 to 100 ms with that many files, when it has nothing else to do.
 * @returns dispose of it to end the checks
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
    // The collection itself does not count as work.
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

/** V8 exposes it only under a flag, which is reset at once: the compile cache is valid for one set of flags only. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return () => collect();
}
