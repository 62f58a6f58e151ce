import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

const running = new Set<Started>();

export type StartOptions = {
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Words to put before the command. */
  readonly under?: readonly string[];
};

/** A program of a peer in a process group of its own, so that nothing which it starts outlives it. */
export class Started {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #log: string;

  constructor(program: string, args: readonly string[], options: StartOptions) {
    const [first = program, ...words] = [...(options.under ?? []), program, ...args];
    const log = openSync(options.log, 'a');
    this.#log = options.log;
    this.#child = spawn(first, words, {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    if (this.#child.pid === undefined) throw new Error(`${first} can't be started`);
    this.pid = this.#child.pid;
    running.add(this);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it said so far. */
  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** Waits for its end. @throws with what it said, when it fails or takes longer than `limit` milliseconds */
  async succeeded(limit: number): Promise<void> {
    const patience = setTimeout(() => this.#signal('SIGKILL'), limit);
    if (this.isRunning) await once(this.#child, 'exit');
    clearTimeout(patience);
    running.delete(this);
    if (this.#child.exitCode !== 0)
      throw new Error(
        `${this.#child.spawnargs.join(' ')} ended with ${this.#child.exitCode ?? this.#child.signalCode}: ${this.output.slice(-500)}`,
      );
  }

  async end(): Promise<void> {
    if (this.isRunning) {
      const ended = once(this.#child, 'exit');
      this.#signal('SIGTERM');
      const patience = setTimeout(() => this.#signal('SIGKILL'), 5_000);
      await ended;
      clearTimeout(patience);
    }
    // What it had started may still be there.
    this.#signal('SIGKILL');
    running.delete(this);
  }

  #signal(name: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, name);
    } catch (error) {
      // No process is left in its group.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Ends every program that still runs. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((started) => started.end()));
}

/** Where a program lies, in PATH or among the system's programs. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
