import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const BOOT_WITHIN = 60_000;
const HALT_WITHIN = 20_000;

/** A Debian in a folder in which systemd has booted, in a network namespace that is there already. */
export class Container {
  readonly #process: ChildProcess;
  #said = '';

  constructor(root: string, networkNamespace: string) {
    const options = ['--quiet', '--register=no', '--keep-unit', '--console=pipe', '--boot'];
    const network = `--network-namespace-path=/run/netns/${networkNamespace}`;
    this.#process = spawn('systemd-nspawn', [...options, network, `--directory=${root}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (piece: Buffer): void => {
      this.#said = (this.#said + piece.toString()).slice(-4_000);
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
    this.#process.on('error', (error) => (this.#said += error.message));
  }

  async booted(): Promise<void> {
    const deadline = Date.now() + BOOT_WITHIN;
    let state = '';
    while (Date.now() < deadline && this.#process.exitCode === null && this.#process.pid !== undefined) {
      const [program = '', ...args] = this.inside(['systemctl', 'is-system-running']);
      state = spawnSync(program, args, { encoding: 'utf8' }).stdout.trim();
      // Some unit of Debian's own may fail in a container; that is no concern of ours.
      if (state === 'running' || state === 'degraded') return;
      await sleep(200);
    }
    throw new Error(`systemd did not boot (${state}): ${this.#said}`);
  }

  inside(command: readonly string[]): string[] {
    return ['nsenter', '--all', '--target', String(this.#init()), ...command];
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.pid === undefined) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const patience = setTimeout(() => this.#process.kill('SIGKILL'), HALT_WITHIN);
    await ended;
    clearTimeout(patience);
  }

  /** Its process 1, as this machine numbers it; 0 when there is none yet. */
  #init(): number {
    const { pid } = this.#process;
    try {
      return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
    } catch {
      // It has ended, or the kernel does not tell.
      return 0;
    }
  }
}
