import { collectNow } from './exposedCollector.ts';
import { trimMalloc } from './libc.ts';
import { ownMemory } from './ownMemory.ts';
import { unmapOwnProgram } from './ownProgram.ts';

/** Interval of the check, milliseconds. */
const EVERY = 10_000;
/**
 * A process that used less than this share of a core since the last check is at rest. Main's copies for `rollback`, which
 * take minutes, use a quarter of one.
 */
const AT_REST = 0.35;
/** Collections use at most this share of a core. */
const AT_MOST = 0.02;
/** Least growth since the last collection that is worth one, bytes. */
const WORTHWHILE = 24 * 2 ** 20;

/** Input of the decision whether to collect now. */
export type Memory = {
  /** Bytes of the process's own memory; see {@link ownMemory}. */
  readonly own: number;
  /** The same after the last collection; undefined before the first. */
  readonly before: number | undefined;
  /** Share of a core used since the last check. */
  readonly load: number;
};

/** True when the process is at rest and holds much more memory than it needed last. Pure. */
export function isWorthCollecting({ own, before, load }: Memory): boolean {
  return load < AT_REST && (before === undefined || own - before > WORTHWHILE);
}

/**
 * Returns memory to the system after a burst of work (the start is the first), once the process is at rest. Neither V8
 * nor malloc does so by itself on a host with much memory: after a first pass of 40,000 files, 70 MB of 187 were garbage,
 * half empty pages, room for new objects and freed blocks. It pauses the process for some tenths of a second with 100,000
 * files, when it has nothing else to do. With it goes what only the start, or the burst, needed of Node itself.
 * @param every interval of the check, milliseconds
 * @returns dispose of it to end the checks
 */
export function restMemory(every = EVERY): Disposable {
  let before: number | undefined;
  let notBefore = 0;
  let last = { at: performance.now(), cpu: cpuMicroseconds() };
  const look = (): void => {
    const now = { at: performance.now(), cpu: cpuMicroseconds() };
    const load = (now.cpu - last.cpu) / 1000 / (now.at - last.at);
    last = now;
    if (now.at < notBefore) return;
    if (!isWorthCollecting({ own: ownMemory(), before, load })) return;
    // It also moves what is left together, and returns the pages.
    collectNow({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    trimMalloc();
    unmapOwnProgram();
    before = ownMemory();
    // The collection itself does not count as work.
    last = { at: performance.now(), cpu: cpuMicroseconds() };
    notBefore = last.at + (last.cpu - now.cpu) / 1000 / AT_MOST;
  };
  const timer = setInterval(look, every);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
