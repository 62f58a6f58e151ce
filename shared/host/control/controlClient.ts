import net from 'node:net';
import { interpreted } from '#protocol/interpreted.ts';
import { caller } from '../cli/caller.ts';
import { errnoOf } from '../fs/errno.ts';
import type { ArgsIn, Contract, DeepReadonly, NameIn, Progress, ResultOf } from './contract.ts';
import { ControlError } from './controlError.ts';
import { replySchema, SILENT_AFTER } from './frames.ts';
import { readLines } from './readLines.ts';
import { withShortSocketPath } from './socketPath.ts';

/** Characters of one answer: a dry run of half a million files fits. */
const MAX_REPLY_CHARACTERS = 512 * 1024 * 1024;

/** The daemon does not answer on its control socket. */
export class NotRunning extends Error {
  readonly exitCode = 3;
}

/** This user may not use the socket. */
export class PermissionDenied extends ControlError {}

/** Describes the daemon for messages. */
export type Daemon = {
  readonly socketPath: string;
  /** `controller` or `agent`. */
  readonly name: string;
  /** How to start it, as a sentence. */
  readonly howToStart: string;
  /** Longest silence before it counts as hanging, milliseconds; default {@link SILENT_AFTER}. */
  readonly silentAfter?: number;
};

/**
 * Sends a command to a daemon and waits for its answer without a time limit, as long as the daemon gives a sign of life
 * at least every {@link SILENT_AFTER}.
 * @param onProgress called on each progress message
 * @throws NotRunning when there is no daemon or it hangs, ControlError with the daemon's message
 */
export async function askDaemon<C extends Contract, N extends NameIn<C>>(
  daemon: Daemon,
  contract: C,
  command: N,
  args: ArgsIn<C, N>,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<DeepReadonly<ResultOf<C, N>>> {
  const { result, length } = await exchange(
    daemon,
    { command, args, follow: true, by: caller() },
    onProgress,
  );
  const parsed = contract[command]?.result.safeParse(result, interpreted(length));
  if (parsed?.success !== true)
    throw new ControlError(`the running ${daemon.name} has another version than this command: restart it`);
  // The schema has checked it, but TypeScript does not relate the schema of one command to the contract's types.
  return parsed.data as DeepReadonly<ResultOf<C, N>>;
}

/** What a daemon answered, and the length of that text. */
type Answer = { readonly result: unknown; readonly length: number };

async function exchange(
  daemon: Daemon,
  request: unknown,
  onProgress: (progress: Progress) => void,
): Promise<Answer> {
  const { socketPath, name, silentAfter = SILENT_AFTER } = daemon;
  const socket = await connect(daemon);
  let silence: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const heard = (): void => {
        clearTimeout(silence);
        silence = setTimeout(
          () =>
            reject(
              new NotRunning(
                `the ${name} does not answer (nothing on ${socketPath} for ${Math.round(silentAfter / 1000)} s): it hangs, or this machine is overloaded. Restart it with "systemctl restart xivo-xds-sync${name === 'agent' ? '-agent' : ''}"`,
              ),
            ),
          silentAfter,
        );
      };
      socket.once('error', (error) => reject(new ControlError(`the ${name} hung up: ${error.message}`)));
      socket.once('close', () =>
        reject(
          new ControlError(
            `the ${name} ended before it answered, so this may or may not be done. Its log says why it ended; when it runs again, repeat the command`,
          ),
        ),
      );
      readLines(socket, MAX_REPLY_CHARACTERS, (line) => {
        heard();
        const reply = replyOf(line);
        if (reply === undefined) reject(new ControlError(`the ${name} answered nonsense: restart it`));
        else if ('error' in reply) reject(new ControlError(reply.error, reply.exitCode));
        else if ('progress' in reply) onProgress(reply.progress);
        else if ('result' in reply) resolve({ result: reply.result, length: line.length });
      });
      heard();
      socket.write(`${JSON.stringify(request)}\n`);
    });
  } finally {
    clearTimeout(silence);
    socket.destroy();
  }
}

function replyOf(line: string): ReturnType<typeof replySchema.parse> | undefined {
  try {
    return replySchema.parse(JSON.parse(line), interpreted(line.length));
  } catch {
    return undefined;
  }
}

async function connect({ socketPath, name, howToStart }: Daemon): Promise<net.Socket> {
  try {
    return await withShortSocketPath(socketPath, (short) => {
      return new Promise<net.Socket>((resolve, reject) => {
        const socket = net.connect(short);
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(socket);
        });
        socket.once('error', reject);
      });
    });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'ENOTDIR') {
      throw new NotRunning(`the ${name} is not running (no answer on ${socketPath}). ${howToStart}`);
    }
    if (errno === 'EACCES' || errno === 'EPERM') {
      throw new PermissionDenied(`permission denied: this command needs root (${socketPath})`);
    }
    if (errno === 'EAGAIN')
      throw new NotRunning(
        `the ${name} does not answer (too many requests wait on ${socketPath}): is it hanging?`,
      );
    throw error;
  }
}
