import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** How often processes are looked at, in milliseconds: what a process did in its last moment before it ended is missed. */
export const SAMPLE_EVERY = 25;
/** A tick of /proc/PID/stat in seconds: USER_HZ, 100 on every Linux that Debian supports on a server. */
const TICK = 0.01;

/** A process whose cost counts, with all its descendants. */
export type Root = { readonly role: string; readonly pid: number };

export type Cost = {
  readonly cpuSeconds: number;
  /** The same by role. */
  readonly cpu: ReadonlyMap<string, number>;
  /** Of each role, the most that its processes' peaks (VmHWM) came to at one time, in KiB. */
  readonly peaks: ReadonlyMap<string, number>;
};

/** Adds up what process trees use, while it runs. */
export class CostMeter {
  readonly #roots: () => readonly Root[];
  readonly #before = new Map<string, number>();
  readonly #ticks = new Map<string, number>();
  readonly #roleOf = new Map<string, string>();
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(roots: () => readonly Root[]) {
    this.#roots = roots;
    for (const { pid } of roots().flatMap(treeOf)) forgetPeak(pid);
    this.#sample();
    for (const [key, ticks] of this.#ticks) this.#before.set(key, ticks);
    this.#timer = setInterval(() => this.#sample(), SAMPLE_EVERY);
  }

  stop(): Cost {
    clearInterval(this.#timer);
    this.#sample();
    const cpu = new Map<string, number>();
    for (const [key, last] of this.#ticks) {
      const role = this.#roleOf.get(key) ?? '';
      cpu.set(role, (cpu.get(role) ?? 0) + (last - (this.#before.get(key) ?? 0)) * TICK);
    }
    const cpuSeconds = [...cpu.values()].reduce((sum, each) => sum + each, 0);
    return { cpuSeconds, cpu, peaks: this.#peaks };
  }

  #sample(): void {
    const together = new Map<string, number>();
    for (const { role, pid } of this.#roots().flatMap(treeOf)) {
      const used = usedBy(pid);
      if (used === undefined) continue;
      this.#ticks.set(used.key, used.ticks);
      this.#roleOf.set(used.key, role);
      together.set(role, (together.get(role) ?? 0) + used.peak);
    }
    for (const [role, peak] of together) this.#peaks.set(role, Math.max(peak, this.#peaks.get(role) ?? 0));
  }
}

/** Carries something out, and says what it cost the process trees until it ended. */
export async function metered<T>(
  roots: () => readonly Root[],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cost: Cost }> {
  const meter = new CostMeter(roots);
  try {
    const result = await work();
    return { result, cost: meter.stop() };
  } finally {
    meter.stop();
  }
}

function treeOf(root: Root): Root[] {
  return [root, ...childrenOf(root.pid).flatMap((pid) => treeOf({ role: root.role, pid }))];
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // It ended meanwhile.
    return [];
  }
}

function usedBy(pid: number): { key: string; ticks: number; peak: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold blanks: fields are counted from behind it, where the third of proc(5) is first.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system, startedAt] = [fields[11], fields[12], fields[19]];
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { key: `${pid}:${startedAt}`, ticks: Number(user) + Number(system), peak: Number(peak ?? 0) };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

/** What a process holds of memory, in MB: now (VmRSS), and at most so far (VmHWM). */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

/** Processor seconds that a process has used so far. */
export function cpuOf(pid: number): number {
  return (usedBy(pid)?.ticks ?? 0) * TICK;
}

/** Sets a process's VmHWM back to what it holds now: see clear_refs in proc(5). */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // It ended meanwhile, or is another user's: then its peak is that of its whole life.
  }
}
