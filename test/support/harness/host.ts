import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const COMMAND_TIMEOUT = 60_000;

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type Program = 'xivo-xds-sync' | 'xivo-xds-sync-agent';

/** The four directories of a XiVO, with the paths they have there. */
export const DIRECTORIES = {
  dialplan: '/etc/asterisk/extensions_extra.d',
  moh: '/var/lib/xivo/moh',
  sounds: '/var/lib/xivo/sounds',
  recordings: '/var/lib/xivo/sounds/recordings',
} as const;
export type DirectoryName = keyof typeof DIRECTORIES;

/** One host in a folder: its files, and the daemon of this product that runs there as a process of its own. */
export class Host {
  readonly name: string;
  readonly root: string;
  readonly program: Program;
  readonly logFile: string;
  /** What starts this host's program: the checkout's, unless a test has another version. */
  launcher: readonly string[];
  #daemon: ChildProcess | undefined;

  constructor(folder: string, name: string, program: Program) {
    this.name = name;
    this.root = path.join(folder, name);
    this.program = program;
    this.logFile = path.join(folder, `${name}.log`);
    this.launcher = launcherOf(program);
    for (const directory of Object.values(DIRECTORIES)) mkdirSync(this.root + directory, { recursive: true });
  }

  /** Where a path of a synchronised directory lies. */
  at(directory: DirectoryName, file = ''): string {
    return path.join(this.root, DIRECTORIES[directory], file);
  }

  /** Writes a file, with the folders it needs. */
  write(directory: DirectoryName, file: string, content: string | Buffer): void {
    const target = this.at(directory, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  }

  read(directory: DirectoryName, file: string): string | undefined {
    const target = this.at(directory, file);
    return existsSync(target) ? readFileSync(target, 'utf8') : undefined;
  }

  /** Runs a command of this host's program to its end. */
  run(args: readonly string[], options: { input?: string; program?: Program } = {}): Promise<Ran> {
    const launcher = options.program === undefined ? this.launcher : launcherOf(options.program);
    return runProgram(launcher, ['--root', this.root, ...args], options.input);
  }

  /** Runs a command that must succeed. */
  async ok(args: readonly string[], input?: string): Promise<string> {
    const ran = await this.run(args, input === undefined ? {} : { input });
    if (ran.code !== 0)
      throw new Error(`${this.name}: ${args.join(' ')} ended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  get isRunning(): boolean {
    return this.#daemon !== undefined && this.#daemon.exitCode === null && this.#daemon.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** Starts the daemon. @param before words put before the command, such as `ip netns exec NAME` */
  start(before: readonly string[] = []): void {
    const daemonArgs = this.program === 'xivo-xds-sync' ? ['serve'] : ['run'];
    const command = [...before, ...this.launcher, '--root', this.root, '--log', 'stderr', ...daemonArgs];
    const log = openSync(this.logFile, 'a');
    this.#daemon = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', log, log],
      // Log lines go to the file; there is no syslog to look for.
      env: { ...process.env, XDS_SYSLOG_SOCKET: path.join(this.root, 'no-syslog') },
    });
    closeSync(log);
  }

  /** Ends the daemon as systemd would. */
  async stop(): Promise<void> {
    await this.signal('SIGTERM');
  }

  /** Ends it as a power cut of the process would. */
  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Sends a signal that ends nothing. */
  signalOnly(name: NodeJS.Signals): void {
    this.#daemon?.kill(name);
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || !this.isRunning) return;
    const ended = once(daemon, 'exit');
    daemon.kill(name);
    const patience = setTimeout(() => daemon.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(patience);
  }
}

function launcherOf(program: Program): readonly string[] {
  return [path.join(CHECKOUT, 'bin', program)];
}

/** Runs one of the two programs to its end, bounded in time. */
async function runProgram(
  launcher: readonly string[],
  args: readonly string[],
  input?: string,
): Promise<Ran> {
  const [program = '', ...before] = launcher;
  const child = spawn(program, [...before, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: COMMAND_TIMEOUT,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 255, stdout, stderr };
}

/** A script that stands in for Asterisk: it writes down what it was asked, and answers as told. */
export class FakeAsterisk {
  readonly script: string;
  readonly #calls: string;
  readonly #answer: string;

  constructor(host: Host) {
    this.script = path.join(host.root, 'asterisk');
    this.#calls = path.join(host.root, 'asterisk.calls');
    this.#answer = path.join(host.root, 'asterisk.answer');
    writeFileSync(
      this.script,
      `#!/bin/sh\necho "$@" >> "${this.#calls}"\n[ ! -e "${this.#answer}" ] || . "${this.#answer}"\n`,
    );
    chmodSync(this.script, 0o755);
  }

  /** The lines it was asked, oldest first. */
  get calls(): string[] {
    return existsSync(this.#calls) ? readFileSync(this.#calls, 'utf8').trim().split('\n') : [];
  }

  get reloads(): string[] {
    return this.calls.filter((call) => call.includes('reload'));
  }

  /** Shell code that it runs from now on. */
  answer(shell: string): void {
    writeFileSync(this.#answer, shell);
  }
}

/** Waits until a condition holds. @throws with `what`, when it does not within `limit` milliseconds */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit = 20_000,
): Promise<void> {
  const deadline = Date.now() + limit;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`);
    await sleep(25);
  }
}
