import { type ChildProcess, spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';

/** How long the shell waits for more to do before it ends, milliseconds. */
const IDLE = 3_000;

/**
 * Each line asks for one sync: a number, and the descriptor of an open folder of the process that asks. It is answered by the
 * number, and what `sync` said if it failed. They run side by side: one whose disk hangs holds up no other. A service manager
 * that ends the daemon signals the shell, too; but the daemon makes its files durable first.
 */
const SCRIPT = `trap '' TERM INT HUP
while read -r number fd; do
  { said=$(sync -f "/proc/$PPID/fd/$fd" 2>&1 </dev/null) && echo "$number" || echo "$number failed: $said"; } &
done`;

const ANSWER = /^(\d+)(?: failed: (.*))?$/;

let current: SyncShell | undefined;

/** Those of one file system: the one that runs, and the one that begins after it, for all who have asked since. */
type Syncs = { readonly running: Promise<void>; next?: Promise<void> };

/** By the number of the device. */
const syncs = new Map<number, Syncs>();

/**
 * Makes the file system of an open folder durable, as syncfs(2), without blocking this process. To start a program copies
 * the tables of a process's memory, which stops the loop of a large one for 4 to 40 ms and slows its next writes; so a small
 * shell is started once, starts `sync` as often as it is asked to, and ends when that was not needed for three seconds.
 * Of one file system, one runs at a time: it covers all that was written before it began, for all who asked for it.
 * @param fd stays open until this settles
 * @throws what `sync` said, or why it could not be started
 */
export async function syncInShell(fd: number): Promise<void> {
  const { dev } = fstatSync(fd);
  const others = syncs.get(dev);
  if (others === undefined) return begin(dev, fd);
  others.next ??= others.running.catch(() => undefined).then(() => begin(dev, fd));
  return others.next;
}

async function begin(dev: number, fd: number): Promise<void> {
  if (current?.takesMore !== true) current = new SyncShell();
  const syncing = { running: current.sync(fd) };
  syncs.set(dev, syncing);
  try {
    await syncing.running;
  } finally {
    // Those who ask from now on need another one, which may have started already.
    if (syncs.get(dev) === syncing) syncs.delete(dev);
  }
}

class SyncShell {
  readonly #shell: ChildProcess;
  readonly #asked = new Map<string, PromiseWithResolvers<void>>();
  #count = 0;
  #rest = '';
  #idle: NodeJS.Timeout | undefined;
  #end: Error | undefined;

  constructor() {
    this.#shell = spawn('sh', ['-c', SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    this.#shell.on('error', (error) => this.#fail(error));
    this.#shell.on('exit', (code, signal) =>
      this.#fail(new Error(`the shell that starts it ended with ${signal ?? code ?? 'nothing'}`)),
    );
    const { stdin, stdout } = this.#shell;
    // Too many open files leave it without; its error follows.
    if (!(stdin instanceof Socket && stdout instanceof Socket)) return;
    stdin.on('error', (error) => this.#fail(error));
    stdout.setEncoding('utf8').on('data', (text: string) => this.#received(text));
    for (const pipe of [stdin, stdout]) pipe.unref();
    this.#shell.unref();
  }

  get takesMore(): boolean {
    return this.#end === undefined;
  }

  async sync(fd: number): Promise<void> {
    clearTimeout(this.#idle);
    const asked = Promise.withResolvers<void>();
    const number = String(this.#count++);
    this.#asked.set(number, asked);
    // It keeps this process alive only while something is asked of it.
    this.#shell.ref();
    this.#shell.stdin?.write(`${number} ${fd}\n`);
    return asked.promise;
  }

  #received(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#answered(line);
  }

  #answered(line: string): void {
    const [, number = '', said] = ANSWER.exec(line) ?? [];
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    this.#asked.delete(number);
    if (said === undefined) asked.resolve();
    else asked.reject(new Error(said));
    if (this.#asked.size > 0) return;
    this.#shell.unref();
    this.#idle = setTimeout(() => this.#retire(), IDLE).unref();
  }

  #retire(): void {
    this.#end = new Error('it was not needed');
    this.#shell.stdin?.end();
  }

  #fail(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
