import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { ControlError } from './controlError.ts';
import { withShortSocketPath } from './socketPath.ts';

const MAX_REQUEST_CHARACTERS = 64 * 1024;

const requestSchema = z.strictObject({
  command: z.string().max(64),
  args: z.record(z.string(), z.unknown()),
});

export type Handler = (args: Readonly<Record<string, unknown>>, signal: AbortSignal) => unknown;

/**
 * The daemon's ear for its own command line: a unix socket that only root may use. One JSON line asks, one
 * answers.
 */
export class ControlServer {
  readonly #path: string;
  readonly #handlers: () => Readonly<Record<string, Handler>>;
  readonly #onError: (error: unknown) => void;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  /** @param handlers what it can be asked now; throws ControlError while it can't be asked anything */
  constructor(
    socketPath: string,
    handlers: () => Readonly<Record<string, Handler>>,
    onError: (error: unknown) => void,
  ) {
    this.#path = socketPath;
    this.#handlers = handlers;
    this.#onError = onError;
    this.#server = net.createServer((socket) => this.#serve(socket));
  }

  /** @throws when another daemon listens there already, or the folder can't be written */
  async listen(): Promise<void> {
    mkdirSync(path.dirname(this.#path), { recursive: true, mode: 0o755 });
    if (await answers(this.#path))
      throw new Error(`another daemon is running already (it answers at ${this.#path})`);
    rmSync(this.#path, { force: true });
    // Nobody may connect before the mode is set: the umask makes the socket private from its first moment.
    const umask = process.umask(0o177);
    try {
      await withShortSocketPath(this.#path, (short) => {
        return new Promise<void>((resolve, reject) => {
          this.#server.once('error', reject);
          this.#server.listen(short, resolve);
        });
      });
    } finally {
      process.umask(umask);
    }
    chmodSync(this.#path, 0o600);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#path, { force: true });
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    socket.on('error', () => socket.destroy());
    let length = 0;
    socket.on('data', (chunk) => {
      length += chunk.length;
      if (length > MAX_REQUEST_CHARACTERS) socket.destroy();
    });
    createInterface({ input: socket }).once('line', (line) => void this.#answer(socket, line, gone.signal));
  }

  async #answer(socket: net.Socket, line: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#handle(line, signal);
    if (!socket.destroyed) socket.end(`${JSON.stringify(answer)}\n`);
  }

  async #handle(line: string, signal: AbortSignal): Promise<unknown> {
    try {
      const { command, args } = requestSchema.parse(JSON.parse(line));
      const handlers = this.#handlers();
      const handler = Object.hasOwn(handlers, command) ? handlers[command] : undefined;
      if (handler === undefined)
        throw new ControlError(`the daemon does not know "${command}": it is of another version`);
      return { result: (await handler(args, signal)) ?? null };
    } catch (error) {
      if (error instanceof ControlError) return { error: error.message, exitCode: error.exitCode };
      this.#onError(error);
      return { error: error instanceof Error ? error.message : String(error), exitCode: 1 };
    }
  }
}

async function answers(socketPath: string): Promise<boolean> {
  try {
    return await withShortSocketPath(socketPath, (short) => {
      return new Promise<boolean>((resolve) => {
        const socket = net.connect(short);
        socket.once('connect', () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', () => resolve(false));
      });
    });
  } catch {
    // The folder is not there: nobody listens in it.
    return false;
  }
}
