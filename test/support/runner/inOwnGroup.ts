import { spawn } from 'node:child_process';

export type Ended = {
  /** 255 when a signal ended it. */
  readonly code: number;
  readonly output: string;
  /** Whether it was ended because it took too long. */
  readonly late: boolean;
};

/**
 * Runs a program in a process group of its own, so that whatever it started ends with it, also when it hangs or
 * crashes. Standard output and error come back together.
 * @param limit milliseconds
 */
export function runInOwnGroup(
  command: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly limit: number; readonly env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pieces: Buffer[] = [];
  let late = false;
  const endGroup = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const timer = setTimeout(() => {
    late = true;
    endGroup();
  }, options.limit);
  process.once('exit', endGroup);
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
  child.once('error', (error) => pieces.push(Buffer.from(`${error.message}\n`)));
  // What it left running may hold its output open: that ends first.
  child.once('exit', endGroup);
  child.once('close', (code) => {
    clearTimeout(timer);
    process.off('exit', endGroup);
    resolve({ code: code === null || code < 0 ? 255 : code, output: Buffer.concat(pieces).toString(), late });
  });
  return promise;
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
