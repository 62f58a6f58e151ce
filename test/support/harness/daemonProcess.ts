import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** systemd waits longer, but a host that is shut down does not want to. */
const TERM_LIMIT = 10_000;

/** How a process ended: an exit code, or the signal that ended it. */
export type End = number | NodeJS.Signals;

/**
 * A daemon that runs as a process of its own. It may end when a test ends it, and in no other way: any other end is
 * a fault, which the test learns of when it ends.
 */
export class DaemonProcess {
  readonly name: string;
  /** What no test may end with. */
  readonly faults: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<End>;
  #isMeantToEnd = false;

  constructor(name: string, command: readonly string[], logFile: string, env: NodeJS.ProcessEnv) {
    this.name = name;
    const log = openSync(logFile, 'a');
    this.#child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', log, log], env });
    closeSync(log);
    this.#ended = this.#untilEnded();
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ends it as systemd would. A fault, and thrown, when that is not within 10 s and with exit code 0. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const end = await this.#end('SIGTERM');
    if (end === 0) return;
    const fault =
      end === undefined
        ? `${this.name} did not end within ${TERM_LIMIT / 1000} s of SIGTERM`
        : `${this.name} ended with ${end} after SIGTERM, not with 0`;
    this.faults.push(fault);
    throw new Error(fault);
  }

  /** Ends it as a lack of memory would. */
  async kill(): Promise<void> {
    if (this.isRunning) await this.#end('SIGKILL');
  }

  /** Waits for a daemon that is to end by itself. @throws when it does not within `limit` milliseconds */
  async ends(limit = TERM_LIMIT): Promise<End> {
    this.#isMeantToEnd = true;
    this.faults.length = 0;
    const end = await Promise.race([this.#ended, sleep(limit, undefined, { ref: false })]);
    if (end === undefined) throw new Error(`${this.name} did not end within ${limit} ms`);
    return end;
  }

  /** The test is about to end this process by its own means. */
  expectEnd(): void {
    this.#isMeantToEnd = true;
  }

  async #end(signal: NodeJS.Signals): Promise<End | undefined> {
    this.#isMeantToEnd = true;
    this.#child.kill(signal);
    const end = await Promise.race([this.#ended, sleep(TERM_LIMIT, undefined, { ref: false })]);
    if (end === undefined) {
      this.#child.kill('SIGKILL');
      await this.#ended;
    }
    return end;
  }

  async #untilEnded(): Promise<End> {
    const [code, signal] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null];
    const end = code ?? signal ?? 255;
    if (!this.#isMeantToEnd) this.faults.push(`${this.name} ended by itself, with ${end}`);
    return end;
  }
}

/** Longer lines are the program's text, which Node prints with an unhandled error. */
const MAX_LINE = 500;

/** What a log must not hold: a stack, or an error of Node's that was not handled or translated. */
const TROUBLE = /uncaughtException|unhandledRejection|\bERR_[A-Z][A-Z0-9_]+|^\s+at .+:\d+:\d+\)?$/;

/**
 * The lines of a log that show a fault of the program.
 * @param allowed faults that a test causes on purpose
 */
export function troubleIn(log: string, allowed: readonly RegExp[] = []): string[] {
  const lines = log.split('\n').map((line) => line.slice(0, MAX_LINE));
  return lines.filter((line) => TROUBLE.test(line) && !allowed.some((each) => each.test(line)));
}
