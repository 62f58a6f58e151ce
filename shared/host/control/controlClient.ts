import net from 'node:net';
import { createInterface } from 'node:readline';
import { errnoOf } from '../fs/errno.ts';
import { ControlError } from './controlError.ts';
import { withShortSocketPath } from './socketPath.ts';

/** Nobody listens at the control socket. */
export class NotRunning extends Error {
  readonly exitCode = 3;
}

/**
 * Asks the daemon.
 * @param howToStart printed with {@link NotRunning}
 * @throws NotRunning when there is no daemon, ControlError with the daemon's own words
 */
export async function askDaemon(
  socketPath: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  howToStart: string,
): Promise<unknown> {
  const socket = await connect(socketPath, howToStart);
  try {
    socket.write(`${JSON.stringify({ command, args })}\n`);
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as { result?: unknown; error?: string; exitCode?: number };
      if (answer.error !== undefined) throw new ControlError(answer.error, answer.exitCode);
      return answer.result;
    }
    throw new ControlError('the daemon ended without an answer: see its log');
  } finally {
    socket.destroy();
  }
}

async function connect(socketPath: string, howToStart: string): Promise<net.Socket> {
  try {
    return await withShortSocketPath(socketPath, (short) => {
      return new Promise<net.Socket>((resolve, reject) => {
        const socket = net.connect(short);
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      });
    });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'ENOTDIR') {
      throw new NotRunning(`the daemon is not running (nobody answers at ${socketPath}). ${howToStart}`);
    }
    if (errno === 'EACCES' || errno === 'EPERM') {
      throw new ControlError(`only root may talk to the daemon (${socketPath}): try again with sudo`);
    }
    throw error;
  }
}
