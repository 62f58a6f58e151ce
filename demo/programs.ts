import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';

export const CHECKOUT = path.resolve(import.meta.dirname, '..');

export type Program = 'xivo-xds-sync' | 'xivo-xds-sync-agent';

export function binary(program: Program): string {
  return path.join(CHECKOUT, 'bin', program);
}

/** Runs a command to its end and shows it as an administrator would type it. @throws when it fails */
export function command(program: Program, args: readonly string[], input = ''): string {
  console.log(`$ ./bin/${program} ${args.join(' ')}`);
  const ran = spawnSync(binary(program), args, { input, encoding: 'utf8' });
  if (ran.status === 0) return ran.stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${ran.status ?? ran.signal}: ${ran.stderr}`);
}

/**
 * The output of `status`; '' while the controller does not answer. Exit code 1 only means that an MDS is behind, which
 * is no failure here.
 */
export function statusText(root: string): string {
  return spawnSync(binary('xivo-xds-sync'), ['--root', root, 'status'], { encoding: 'utf8' }).stdout;
}

/** The programs that run in the background while the demo lasts. */
export class Daemons {
  readonly #running: ChildProcess[] = [];

  /** Starts one; its log goes to a file. */
  start(program: Program, args: readonly string[], logFile: string): void {
    console.log(`$ ./bin/${program} ${args.join(' ')} &`);
    const log = openSync(logFile, 'w');
    // A group of its own: Ctrl-C reaches the demo alone, which then ends them in order.
    const child = spawn(binary(program), args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#running.push(child);
  }

  /** @throws when one of them has ended by itself */
  check(): void {
    for (const { exitCode, spawnargs } of this.#running) {
      if (exitCode !== null)
        throw new Error(`${spawnargs.join(' ')} ended with ${exitCode}: see the log files`);
    }
  }

  /** Ends them, agents first. */
  async end(): Promise<void> {
    for (const child of this.#running.splice(0).toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(patience);
    }
  }
}
