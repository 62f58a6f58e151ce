import { readFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../support/harness/host.ts';
import type { Root } from './processCost.ts';
import { Started } from './processes.ts';

/** Calls by their names. */
export type Calls = ReadonlyMap<string, number>;

/** With children and threads; a signal ends it as soon as it has dealt with a call. */
const STRACE = ['strace', '-f', '-c', '-I', '2'] as const;

/** Counts the system calls of process trees by strace, which slows them many times: nothing is timed meanwhile. */
export class CallCounts {
  readonly #folder: string;
  readonly #files = new Map<string, string[]>();
  readonly #attached: { readonly pid: number; readonly tracer: Started }[] = [];

  /** @param folder an empty one */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Words to put before a command, by its role: it stays the child of the process that starts it, and keeps its number. */
  under(role: string): string[] {
    return [...STRACE, '-D', '-o', this.#newFile(role)];
  }

  /** Counts from now on what a process does that runs already. */
  async attach({ role, pid }: Root): Promise<void> {
    const [program, ...options] = STRACE;
    const file = this.#newFile(role);
    const tracer = new Started(program, [...options, '-o', file, '-p', String(pid)], { log: `${file}.log` });
    this.#attached.push({ pid, tracer });
    await eventually(`strace sees ${role}`, () => {
      if (!tracer.isRunning) throw new Error(`strace ended: ${tracer.output}`);
      return tracerOf(pid) !== 0;
    });
  }

  /**
   * Counts no longer.
   * @param running those that were started with {@link under} and still run, among others
   * @returns the calls of each role
   */
  async end(running: readonly Root[]): Promise<ReadonlyMap<string, Calls>> {
    const own = new Set(this.#attached.map(({ pid }) => pid));
    for (const { pid } of running) if (!own.has(pid)) endTracerOf(pid);
    await this.cancel();
    const texts = new Map<string, readonly string[]>();
    for (const [role, files] of this.#files) {
      await eventually(`strace has written down what ${role} did`, () => files.every(isWritten));
      texts.set(
        role,
        files.map((file) => readFileSync(file, 'utf8')),
      );
    }
    return new Map([...texts].map(([role, all]) => [role, sumOf(all.map(callsIn))]));
  }

  /** Lets go of what it was attached to; what was started under it goes with that. */
  async cancel(): Promise<void> {
    for (const { tracer } of this.#attached.splice(0)) await tracer.end();
  }

  #newFile(role: string): string {
    const files = this.#files.get(role) ?? [];
    const file = path.join(this.#folder, `${role}-${files.length}`);
    this.#files.set(role, [...files, file]);
    return file;
  }
}

/** What a table of `strace -c` says: a line for each call, how often, and in some how often in vain, before its name. */
export function callsIn(table: string): Calls {
  const lines = table.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+)(?: +\d+)? +(\w+)$/gm);
  return new Map(
    [...lines].flatMap(([, times, name = '']) => (name === 'total' ? [] : [[name, Number(times)]])),
  );
}

function sumOf(all: readonly Calls[]): Calls {
  const sum = new Map<string, number>();
  for (const calls of all) for (const [name, times] of calls) sum.set(name, times + (sum.get(name) ?? 0));
  return sum;
}

/** The total is the last line of the table. */
function isWritten(file: string): boolean {
  return readFileSync(file, 'utf8').endsWith(' total\n');
}

function tracerOf(pid: number): number {
  try {
    return Number(/^TracerPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    // It ended meanwhile.
    return 0;
  }
}

function endTracerOf(pid: number): void {
  const tracer = tracerOf(pid);
  if (tracer !== 0) process.kill(tracer, 'SIGTERM');
}
