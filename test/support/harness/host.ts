import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileCache, launcherOf, type Program } from './bundles.ts';
import { canRunHere, type Ran, runHere } from './commandHere.ts';
import { DaemonProcess, type End, troubleIn } from './daemonProcess.ts';

const COMMAND_TIMEOUT = 60_000;

export type { Program } from './bundles.ts';
export type { Ran } from './commandHere.ts';

export type RunOptions = {
  /** What is written to its standard input. */
  readonly input?: string;
  /** The other program's command than this host's. */
  readonly program?: Program;
  /** Whether it has to be a process of its own. */
  readonly asProgram?: boolean;
};

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
  /** What starts this host's program: this tree's, unless a test has another version. */
  launcher: readonly string[];
  /** Lines of its log that would fail the test, but which it causes on purpose. */
  readonly allowedTrouble: RegExp[] = [];
  /** When its daemon was last started, milliseconds since 1970. */
  startedAt = 0;
  #daemon: DaemonProcess | undefined;
  readonly #usualLauncher: readonly string[];
  readonly #faults: string[] = [];

  constructor(folder: string, name: string, program: Program) {
    this.name = name;
    this.root = path.join(folder, name);
    this.program = program;
    this.logFile = path.join(folder, `${name}.log`);
    this.#usualLauncher = launcherOf(program);
    this.launcher = this.#usualLauncher;
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

  /**
   * Runs a command of this host's program to its end: in this process where nothing speaks against it, which costs
   * much less than to start a program.
   */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { input, program = this.program, asProgram = this.launcher !== this.#usualLauncher } = options;
    const words = ['--root', this.root, ...args];
    if (!asProgram && canRunHere(args))
      return checked(words, runHere(program, words, { input, limit: COMMAND_TIMEOUT }));
    const launcher = options.program === undefined ? this.launcher : launcherOf(program);
    return checked(words, runProgram(launcher, words, input));
  }

  /** Starts a command that the test may end before it has ended. `ended` is what it printed as errors. */
  typed(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<string> } {
    const [program = '', ...before] = this.launcher;
    const child = spawn(program, [...before, '--root', this.root, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environment(),
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return { child, ended: once(child, 'close').then(() => stderr) };
  }

  /** Runs a command that must succeed. */
  async ok(args: readonly string[], input?: string): Promise<string> {
    const ran = await this.run(args, input === undefined ? {} : { input });
    if (ran.code !== 0)
      throw new Error(`${this.name}: ${args.join(' ')} ended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  get isRunning(): boolean {
    return this.#daemon?.isRunning === true;
  }

  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** What went wrong with its daemons so far that no test may pass with. */
  get faults(): string[] {
    const trouble = troubleIn(this.log, this.allowedTrouble);
    const shown = trouble.slice(0, 20).map((line) => `${this.name} logged: ${line}`);
    return [...this.#faults, ...(this.#daemon?.faults ?? []), ...shown];
  }

  /** Starts the daemon. @param before words put before the command, such as `ip netns exec NAME` */
  start(before: readonly string[] = []): void {
    this.#faults.push(...(this.#daemon?.faults ?? []));
    const daemonArgs = this.program === 'xivo-xds-sync' ? ['serve'] : ['run'];
    const command = [...before, ...this.launcher, '--root', this.root, '--log', 'stderr', ...daemonArgs];
    // Log lines go to the file; there is no syslog to look for.
    const env = { ...environment(), XDS_SYSLOG_SOCKET: path.join(this.root, 'no-syslog') };
    this.startedAt = Date.now();
    this.#daemon = new DaemonProcess(this.name, command, this.logFile, env);
  }

  /** Ends the daemon as systemd would. @throws when it does not end with 0 within 10 s */
  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }

  /** Ends it as a power cut of the process would. */
  async kill(): Promise<void> {
    await this.#daemon?.kill();
  }

  /** Sends a signal that ends nothing. */
  signalOnly(name: NodeJS.Signals): void {
    if (this.pid !== undefined) process.kill(this.pid, name);
  }

  /** Waits for the daemon to end by itself, which would be a fault otherwise. */
  async ends(limit?: number): Promise<End> {
    if (this.#daemon === undefined) throw new Error(`${this.name} was never started`);
    return this.#daemon.ends(limit);
  }

  /** The test ends the daemon by its own means. */
  expectEnd(): void {
    this.#daemon?.expectEnd();
  }
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: compileCache() };
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
    env: environment(),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === null)
    throw new Error(`"${args.slice(2).join(' ')}" was ended by ${signal}: ${stdout}${stderr}`);
  return { code, stdout, stderr };
}

/** @throws when a command shows a fault of the program */
async function checked(args: readonly string[], running: Promise<Ran>): Promise<Ran> {
  const ran = await running;
  if (troubleIn(ran.stderr).length === 0) return ran;
  throw new Error(`"${args.slice(2).join(' ')}" shows a stack to a person: ${ran.stderr}`);
}

/** A script that stands in for Asterisk: it writes down what it was asked, and gives the configured answer. */
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

/** Between two looks of {@link eventually}, milliseconds: what is long in coming is looked for less often. */
const FIRST_LOOK = 10;
const RARE_LOOK = 200;

/** Waits until a condition holds. @throws with `what`, when it does not within `limit` milliseconds */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit = 20_000,
): Promise<void> {
  const deadline = Date.now() + limit;
  for (let wait = FIRST_LOOK; ; wait = Math.min(RARE_LOOK, wait * 1.5)) {
    const looked = performance.now();
    if (await holds()) return;
    if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`);
    // A look that starts a program or reads a large tree is not to take the time of what it waits for.
    await sleep(Math.max(wait, performance.now() - looked));
  }
}
