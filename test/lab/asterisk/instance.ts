import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OWN_FOLDERS, configurationFiles } from './configuration.ts';
import type { InstanceFolders } from './configuration.ts';
import { asteriskCommand } from './root.ts';

const run = promisify(execFile);

/** How long a start or a stop may take, in milliseconds. An idle machine needs half a second. */
const PATIENCE_MS = 20_000;

/** One real Asterisk with its own folders; several run side by side. */
export class AsteriskInstance {
  readonly folders: InstanceFolders;
  /** What the agent gets as `asterisk:`, taking `-rx LINE`. */
  readonly command: string;
  /** Where Asterisk writes its warnings. */
  readonly log: string;
  /** The Debian that it runs from. */
  readonly root: string;
  #process: ChildProcess | undefined;
  #marks = 0;

  private constructor(root: string, folders: InstanceFolders) {
    this.root = root;
    this.folders = folders;
    this.command = join(folders.folder, 'asterisk');
    this.log = join(folders.folder, 'log/messages');
  }

  /**
   * Makes an instance in `folder`, which must not be an instance's yet, and starts it. The dialplan and music
   * folders lie in it unless they are named. The caller stops it.
   */
  static async create(
    root: string,
    folder: string,
    folders: Partial<Omit<InstanceFolders, 'folder'>> = {},
  ): Promise<AsteriskInstance> {
    const instance = new AsteriskInstance(root, {
      folder,
      dialplan: folders.dialplan ?? join(folder, 'etc/extensions_extra.d'),
      moh: folders.moh ?? join(folder, 'moh'),
    });
    await instance.#write();
    await instance.start();
    return instance;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts a stopped instance and waits until it answers as fully booted. One that runs goes on. */
  async start(): Promise<void> {
    if (this.#isRunning()) return;
    const words = [this.command, '-f'];
    // Asterisk ends with the test that started it, however that ends.
    const child = existsSync('/usr/bin/setpriv')
      ? spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', '--', ...words], { stdio: 'ignore' })
      : spawn(this.command, ['-f'], { stdio: 'ignore' });
    this.#process = child;
    const end = Date.now() + PATIENCE_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null) {
        throw new Error(`Asterisk in ${this.folders.folder} ended with ${String(child.exitCode)}.`);
      }
      if (Date.now() > end) throw new Error(`Asterisk in ${this.folders.folder} does not come up.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.cli('core waitfullybooted');
  }

  /** Asks it something and returns what it prints. Throws when it does not answer. */
  async cli(line: string, encoding: BufferEncoding = 'utf8'): Promise<string> {
    const { stdout } = await run(this.command, ['-rx', line], { maxBuffer: 64 * 1024 * 1024, encoding });
    return stdout;
  }

  /**
   * Runs something and returns what Asterisk logged meanwhile (Latin-1). A thread of its own writes the log, so that
   * lines may be missing when a command has answered: a line that comes last is waited for.
   */
  async logOf(run: () => Promise<void>): Promise<string> {
    const { size } = await stat(this.log);
    await run();
    this.#marks += 1;
    const mark = `mark-${String(this.#marks)}-end.so`;
    await this.cli(`module load ${mark}`);
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const lines = (await readFile(this.log)).subarray(size).toString('latin1').split('\n');
      const at = lines.findIndex((line) => line.includes(mark));
      if (at !== -1) return lines.slice(0, at).join('\n');
      if (Date.now() > end) throw new Error(`Asterisk does not write into ${this.log}.`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends it and waits for that. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.#isRunning()) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await ended;
    clearTimeout(timer);
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folders.folder, { recursive: true, force: true });
  }

  #isRunning(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #answers(): Promise<boolean> {
    if (!existsSync(join(this.folders.folder, 'run/asterisk.ctl'))) return false;
    return await this.cli('core show uptime').then(
      () => true,
      () => false,
    );
  }

  async #write(): Promise<void> {
    for (const name of OWN_FOLDERS) await mkdir(join(this.folders.folder, name), { recursive: true });
    await mkdir(this.folders.dialplan, { recursive: true });
    await mkdir(this.folders.moh, { recursive: true });
    for (const [name, text] of Object.entries(configurationFiles(this.folders, this.root))) {
      await writeFile(join(this.folders.folder, 'etc', name), text);
    }
    const words = [...asteriskCommand(this.root), '-C', join(this.folders.folder, 'etc/asterisk.conf')];
    await writeFile(this.command, `#!/bin/sh\nexec ${words.map(quoted).join(' ')} "$@"\n`);
    await chmod(this.command, 0o755);
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
