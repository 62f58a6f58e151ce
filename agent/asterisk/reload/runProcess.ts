import { spawn } from 'node:child_process';
import { codeOf } from '#host/fs/errno.ts';
import { KILL_AFTER_MS, OUTPUT_LIMIT } from './limits.ts';

/** How a command ended. `code` is null when a signal from elsewhere ended it. */
export type CommandEnd =
  | { readonly how: 'exit'; readonly code: number | null; readonly output: string }
  | { readonly how: 'timeout'; readonly afterMs: number; readonly output: string }
  | { readonly how: 'stopped'; readonly output: string }
  | { readonly how: 'unstartable'; readonly message: string; readonly output: string };

/**
 * Runs a command without a shell and without input, and keeps the first `keepBytes` bytes of what it prints
 * (both streams). It ends by itself, after `timeoutMs`, or when `signal` is aborted; then its whole process
 * group gets SIGTERM and, KILL_AFTER_MS later, SIGKILL. Never throws: errors are part of the result.
 */
export function runProcess(
  words: readonly string[],
  options: {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly keepBytes?: number;
    readonly encoding?: BufferEncoding;
  },
): Promise<CommandEnd> {
  const [program, ...args] = words;
  if (program === undefined) {
    return Promise.resolve({ how: 'unstartable', message: 'the command is empty', output: '' });
  }
  const { promise, resolve } = Promise.withResolvers<CommandEnd>();
  // A process group of its own, so that children of a wrapper script end with it.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const output = boundedText(options.keepBytes ?? OUTPUT_LIMIT, options.encoding ?? 'utf8');
  child.stdout.on('data', output.add);
  child.stderr.on('data', output.add);

  let cut: 'timeout' | 'stopped' | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const cutShort = (why: 'timeout' | 'stopped'): void => {
    if (cut !== undefined) return;
    cut = why;
    signalGroup(child.pid, 'SIGTERM');
    killTimer = setTimeout(() => {
      signalGroup(child.pid, 'SIGKILL');
      // A process that left the group may still hold the pipes; it is not waited for.
      child.stdout.destroy();
      child.stderr.destroy();
    }, KILL_AFTER_MS);
  };
  const timer = setTimeout(cutShort, options.timeoutMs, 'timeout');
  const onAbort = (): void => {
    cutShort('stopped');
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();

  const finish = (end: CommandEnd): void => {
    clearTimeout(timer);
    clearTimeout(killTimer);
    options.signal.removeEventListener('abort', onAbort);
    resolve(end);
  };
  child.once('error', (error) => {
    finish({ how: 'unstartable', message: `cannot run ${program}: ${error.message}`, output: output.text() });
  });
  child.once('close', (code) => {
    if (cut === 'timeout') finish({ how: 'timeout', afterMs: options.timeoutMs, output: output.text() });
    else if (cut === 'stopped') finish({ how: 'stopped', output: output.text() });
    else finish({ how: 'exit', code, output: output.text() });
  });
  return promise;
}

function signalGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The group has ended already.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Keeps the first bytes and discards the rest, so that the writer never blocks on a full pipe. */
function boundedText(
  limit: number,
  encoding: BufferEncoding,
): { add: (piece: Buffer) => void; text: () => string } {
  const pieces: Buffer[] = [];
  let room = limit;
  return {
    add: (piece) => {
      if (room === 0) return;
      const kept = piece.subarray(0, room);
      room -= kept.length;
      pieces.push(kept);
    },
    text: () => Buffer.concat(pieces).toString(encoding),
  };
}
