import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import type { Call, Contract, Handlers, NameIn } from './contract.ts';
import { ControlError } from './controlError.ts';
import { Tasks } from '../process/tasks.ts';
import { ALIVE_EVERY, type Reply, requestSchema } from './frames.ts';
import { readLines } from './readLines.ts';
import { withShortSocketPath } from './socketPath.ts';

/** How long commands may take to notice that the daemon ends, milliseconds. */
const PATIENCE = 4_000;
const MAX_REQUEST_CHARACTERS = 64 * 1024;

export type ControlServerOptions<C extends Contract> = {
  readonly socketPath: string;
  readonly contract: C;
  /** The current handlers; throws ControlError while the daemon can't answer. */
  readonly handlers: () => Handlers<C>;
  /** A handler failed with something else than a ControlError. */
  readonly onError: (command: string, error: unknown) => void;
  /** Id of the group whose members may use it, too; root alone when absent. */
  readonly group?: number;
};

/**
 * The control socket of a daemon, a Unix socket for its own command line. The client sends one JSON line; the answer is
 * one line, after any number of progress lines.
 */
export class ControlServer<C extends Contract> {
  readonly #options: ControlServerOptions<C>;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #tasks = new Tasks((what, error) => this.#options.onError(what, error));
  #closing: Promise<void> | undefined;

  constructor(options: ControlServerOptions<C>) {
    this.#options = options;
    this.#server = net.createServer((socket) => this.#serve(socket));
  }

  /** @throws when another daemon listens there already, or the folder can't be written */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    mkdirSync(path.dirname(socketPath), { recursive: true, mode: 0o755 });
    if (await isAnswering(socketPath))
      throw new ControlError(`another one is already running (${socketPath})`);
    // RACE: two daemons of one kind start at the same moment, and both see no daemon here. Worst case: the later one takes
    // over the socket while both run on one state, until a person stops one of them. systemd starts only one.
    rmSync(socketPath, { force: true });
    // No other user can connect between bind and chmod: the umask makes the socket private from the start.
    const umask = process.umask(0o177);
    try {
      await withShortSocketPath(socketPath, (short) => {
        return new Promise<void>((resolve, reject) => {
          this.#server.once('error', reject);
          this.#server.listen(short, resolve);
        });
      });
    } finally {
      process.umask(umask);
    }
    // The group is set first: as long as the mode is 0600, it grants nothing.
    if (this.#options.group !== undefined)
      chownSync(socketPath, process.getuid?.() ?? 0, this.#options.group);
    chmodSync(socketPath, this.#options.group === undefined ? 0o600 : 0o660);
  }

  /** Stops accepting commands; resolves when none is running any more. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** Resolves when no command is running, or after a time, since a command may wait for another host. */
  async quiet(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE);
    await Promise.race([this.#tasks.ended(), late.promise]);
    clearTimeout(timer);
  }

  async #close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.quiet();
    rmSync(this.#options.socketPath, { force: true });
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    // The client has gone (Ctrl-C, or it was killed): that ends the command, never the daemon.
    socket.on('error', () => socket.destroy());
    let isAsked = false;
    readLines(socket, MAX_REQUEST_CHARACTERS, (line) => {
      if (isAsked) return;
      isAsked = true;
      this.#tasks.run('a command failed', () => this.#answer(socket, line, gone.signal));
    });
  }

  /** Never throws: an error becomes the answer. */
  async #answer(socket: net.Socket, line: string, signal: AbortSignal): Promise<void> {
    const say = (reply: Reply): void => {
      if (!socket.destroyed && socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
    };
    const alive = setInterval(() => say({ alive: true }), ALIVE_EVERY);
    let reply: Reply;
    try {
      reply = await this.#handle(line, signal, say, () => clearInterval(alive));
    } finally {
      clearInterval(alive);
    }
    if (!socket.destroyed) socket.end(`${JSON.stringify(reply)}\n`);
  }

  async #handle(
    line: string,
    signal: AbortSignal,
    say: (reply: Reply) => void,
    stayQuiet: () => void,
  ): Promise<Reply> {
    let name = '';
    try {
      const {
        command,
        args,
        follow = false,
        by = 'command',
      } = requestSchema.parse(JSON.parse(line), interpreted());
      name = command;
      if (!follow) stayQuiet();
      const call: Call = { signal, by, progress: (progress) => follow && say({ progress }) };
      return { result: (await this.#call(command, args, call)) ?? null };
    } catch (error) {
      if (error instanceof ControlError) return { error: error.message, exitCode: error.exitCode };
      if (signal.aborted) return { error: 'the command was ended', exitCode: 1 };
      this.#options.onError(name, error);
      return { error: error instanceof Error ? error.message : String(error), exitCode: 1 };
    }
  }

  #call(command: string, args: unknown, call: Call): unknown {
    const { contract, handlers } = this.#options;
    const name = nameIn(contract, command);
    if (name === undefined)
      throw new ControlError(
        `the running daemon does not know "${command}": it has another version than this command. Restart it`,
        2,
      );
    const now = handlers();
    const parsed = contract[name]?.args.safeParse(args, interpreted());
    if (parsed?.success !== true)
      throw new ControlError(`${command}: ${z.prettifyError(parsed?.error ?? new z.ZodError([]))}`, 2);
    // The schema of `command` has just validated these arguments; the compiler can't relate schema and handler by name.
    const handler = now[name] as (args: unknown, call: Call) => unknown;
    return handler(parsed.data, call);
  }
}

function nameIn<C extends Contract>(contract: C, command: string): NameIn<C> | undefined {
  return Object.hasOwn(contract, command) ? command : undefined;
}

/** True when a daemon listens there. */
async function isAnswering(socketPath: string): Promise<boolean> {
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
    // The folder does not exist, so no daemon listens in it.
    return false;
  }
}
