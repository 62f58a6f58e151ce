import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {
  ControllerCommand,
  ControllerContract,
  MdsStatus,
  Result,
  Status,
} from '../../../controller/control/contract/contract.ts';
import { ask } from '../../../controller/cli/ask.ts';
import { contextOf } from '../../../controller/cli/context.ts';
import type { ArgsIn } from '#host/control/contract.ts';
import { EnrolledHosts } from './enrolled.ts';
import { freePort } from './freePort.ts';
import { heldOpen } from './heldOpen.ts';
import { eventually, FakeAsterisk, Host } from './host.ts';

/** Lines of a log that are shown when a test fails at its end, and characters of each. */
const MAX_LINES = 40;
const MAX_LINE = 300;

/** How long daemons may take to close what they no longer need, milliseconds. */
const LEFT_OPEN_LIMIT = 20_000;

export type Mds = Host & { readonly asterisk: FakeAsterisk };

export type ClusterOptions = {
  readonly mds?: readonly string[];
  /** Replaces the controller's configuration, but for `listen`. */
  readonly config?: string;
  /** The MDS are enrolled already; this is quicker than to enrol each by its command. */
  readonly enrolled?: boolean;
};

/** A Main and its MDS on this machine, each a process with a folder of its own. Ends with the test. */
export class Cluster {
  readonly folder: string;
  readonly main: Host;
  readonly mds: Mds[] = [];
  readonly port: number;
  /** How many descriptors each host's daemon had when all were first in sync. */
  readonly #descriptors = new Map<string, number>();

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.main = new Host(folder, 'main', 'xivo-xds-sync');
  }

  /** A Main that is initialised, and its MDS, none of which runs yet. */
  static async make(options: ClusterOptions = {}): Promise<Cluster> {
    const names = options.mds ?? ['mds1', 'mds2'];
    const members = options.enrolled === true ? names : [];
    const enrolled = new EnrolledHosts(members);
    if (!enrolled.exist) await Cluster.#enrolOnce(members, enrolled);
    const cluster = await Cluster.#empty(names);
    enrolled.give(cluster.main, cluster.port);
    if (options.config !== undefined) cluster.configure(options.config);
    for (const mds of cluster.mds) {
      if (!members.includes(mds.name)) continue;
      enrolled.give(mds, cluster.port);
      setAsterisk(mds, mds.asterisk.script);
    }
    return cluster;
  }

  static async #empty(names: readonly string[]): Promise<Cluster> {
    const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-'));
    const cluster = new Cluster(folder, await freePort());
    for (const name of names) cluster.addHost(name);
    return cluster;
  }

  /** Initialises a Main and enrols its MDS by the commands for it, and keeps what they have then. */
  static async #enrolOnce(names: readonly string[], enrolled: EnrolledHosts): Promise<void> {
    const cluster = await Cluster.#empty(names);
    try {
      await cluster.main.ok(['init', '--no-service', '--listen', `127.0.0.1:${cluster.port}`]);
      if (names.length > 0) await cluster.startMain();
      await Promise.all(cluster.mds.map((mds) => cluster.#enrol(mds)));
      await cluster.main.stop();
      enrolled.keep([cluster.main, ...cluster.mds]);
    } finally {
      await cluster.end();
    }
  }

  /** Makes it, with every MDS enrolled unless the options say otherwise, starts all, and waits until all are in sync. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { enrolled = true } = options;
    const cluster = await Cluster.make({ ...options, enrolled });
    try {
      await cluster.startMain();
      if (!enrolled) await Promise.all(cluster.mds.map((mds) => cluster.enrol(mds)));
      for (const mds of cluster.mds) mds.start();
      await cluster.inSync();
      heldOpen(cluster.#hosts, cluster.#descriptors);
      return cluster;
    } catch (error) {
      const more = await cluster.end().then(
        () => '',
        (fault: unknown) => `\nand at its end: ${String(fault)}`,
      );
      throw new Error(`${String(error)}${more}`, { cause: error });
    }
  }

  configure(yaml: string): void {
    writeFileSync(
      path.join(this.main.root, 'etc/xivo-xds-sync/controller.yml'),
      `listen: "127.0.0.1:${this.port}"\n${yaml}`,
    );
  }

  addHost(name: string): Mds {
    const host = new Host(this.folder, name, 'xivo-xds-sync-agent');
    const mds = Object.assign(host, { asterisk: new FakeAsterisk(host) });
    this.mds.push(mds);
    return mds;
  }

  one(name: string): Mds {
    const found = this.mds.find((mds) => mds.name === name);
    if (found === undefined) throw new Error(`no ${name} in this cluster`);
    return found;
  }

  /**
   * Starts Main, and waits until it has read its directories: before that it answers commands, but no MDS.
   * @param limit of the wait, milliseconds
   */
  async startMain(limit?: number): Promise<void> {
    const { length } = this.main.log;
    this.main.start();
    const hasStarted = async (): Promise<boolean> => {
      if (!this.main.isRunning) throw new Error(`Main ended: ${this.main.log}`);
      if (!this.main.log.slice(length).includes('controller started')) return false;
      return this.status().then(
        () => true,
        () => false,
      );
    };
    await eventually('Main has started', hasStarted, limit);
  }

  /**
   * Enrols it by the commands for it.
   * @param asterisk the command that the agent reloads; the recording script when not given
   */
  async enrol(mds: Mds, asterisk = mds.asterisk.script): Promise<void> {
    await this.#enrol(mds);
    setAsterisk(mds, asterisk);
  }

  async #enrol(mds: Mds): Promise<void> {
    const token = await this.main.ok(['mds', 'add', mds.name]);
    await mds.ok(['enroll', '--main', `127.0.0.1:${this.port}`, '--token-file', '-'], token);
  }

  async enrolAndStart(mds: Mds): Promise<void> {
    await this.enrol(mds);
    mds.start();
  }

  /** Asks Main's daemon, as its commands do, without starting a program. */
  async ask<N extends ControllerCommand>(
    command: N,
    args: ArgsIn<ControllerContract, N>,
  ): Promise<Result<N>> {
    return ask(contextOf({ root: this.main.root }), command, args);
  }

  async status(): Promise<Status> {
    return this.ask('status', {});
  }

  async statusOf(name: string): Promise<MdsStatus> {
    const found = (await this.status()).mds.find((mds) => mds.name === name);
    if (found === undefined) throw new Error(`status says nothing of ${name}`);
    return found;
  }

  /**
   * Waits until Main has noticed what was changed on its disk: before that, an MDS that connects still sees the files
   * that were there.
   * @param files how many Main then has in this directory
   */
  async mainHas(directory: string, files: number, limit?: number): Promise<void> {
    const holds = async (): Promise<boolean> => {
      const { main } = await this.status();
      return main.directories.find(({ name }) => name === directory)?.files === files;
    };
    await eventually(`Main has ${files} files in ${directory}`, holds, limit);
  }

  /**
   * Changes files on Main, and waits until Main has noticed: before that, an MDS that connects still sees what was there,
   * and one that is connected is in sync.
   * @param paths what is changed, each with the name of its directory in front
   */
  async mainNotices(paths: readonly string[], change: () => void): Promise<void> {
    const saves = async (): Promise<(string | undefined)[]> => {
      const all = await Promise.all(paths.map((path) => this.ask('why', { path })));
      return all.map(({ change: last }) => last?.save);
    };
    const before = await saves();
    change();
    await eventually(`Main has noticed ${paths.join(', ')}`, async () =>
      (await saves()).every((save, index) => save !== before[index]),
    );
  }

  /** Changes files on Main that belong together: it sees all of it as one, however long that takes on a busy machine. */
  atOnce(change: () => void): void {
    this.main.signalOnly('SIGSTOP');
    try {
      change();
    } finally {
      this.main.signalOnly('SIGCONT');
    }
  }

  /**
   * Changes a file of Main's on an MDS, and waits until the MDS has put it right and both have that in their history: Main's
   * file is there a little earlier.
   * @param path with the name of its directory in front
   */
  async undoes(mds: Mds, path: string, change: () => void): Promise<void> {
    const restored = async (): Promise<number> => {
      const { entries } = await this.ask('history', { mds: mds.name, path, limit: 1_000 });
      return entries.filter(({ kind }) => kind === 'restore').length;
    };
    const before = await restored();
    change();
    await eventually(`${mds.name} has put ${path} right`, async () => (await restored()) > before);
  }

  /**
   * Waits until every MDS that runs is in sync, by a session of its present run. A change that Main has not noticed yet
   * is not waited for: see {@link mainNotices}.
   */
  async inSync(limit = 30_000): Promise<void> {
    let last = '';
    await eventually(
      'every MDS is in sync',
      async () => {
        const { mds } = await this.status();
        last = JSON.stringify(mds);
        const running = this.mds.filter((host) => host.isRunning);
        return running.every(({ name, startedAt }) => {
          const shown = mds.find((each) => each.name === name);
          return shown?.inSync === true && Date.parse(shown.connectedSince ?? '') >= startedAt;
        });
      },
      limit,
    ).catch((error: Error) => {
      throw new Error(
        `${error.message}\n${last}\n--- Main's log\n${this.main.log}\n${this.mds.map((each) => `--- ${each.name}\n${each.log}`).join('\n')}`,
      );
    });
  }

  get #hosts(): Host[] {
    return [this.main, ...this.mds];
  }

  /** What daemons still hold open although every MDS is in sync; nothing when a test ends in the middle of something. */
  async #leftOpen(): Promise<string[]> {
    const isQuiet = await this.status().then(
      ({ mds }) => mds.every(({ inSync }) => inSync),
      () => false,
    );
    if (!isQuiet) return [];
    const look = (): string[] => heldOpen(this.#hosts, this.#descriptors);
    return eventually('nothing is left open', () => look().length === 0, LEFT_OPEN_LIMIT).then(
      () => [],
      look,
    );
  }

  /**
   * Ends everything as a shutdown would, and removes the folder.
   * @throws when a daemon ended that the test did not end, does not end with 0 within 10 s, shows a fault in its log, or held
   *   something open although nothing was under way
   */
  async end(): Promise<void> {
    const hosts = this.#hosts;
    const leftOpen = this.main.isRunning ? await this.#leftOpen() : [];
    await Promise.allSettled(hosts.map((host) => host.stop()));
    const faults = [...leftOpen, ...hosts.flatMap((host) => host.faults)];
    if (faults.length > 0) {
      const logs = hosts.map((host) => `--- ${host.name}'s log\n${shortened(host.log)}`);
      throw new Error(`${faults.join('\n')}\n(${this.folder} is kept)\n${logs.join('\n')}`);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function setAsterisk(mds: Mds, command: string): void {
  const file = path.join(mds.root, 'etc/xivo-xds-sync/agent.yml');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nasterisk: "${command}"\n`);
}

function shortened(log: string): string {
  const lines = log.split('\n').slice(-MAX_LINES);
  return lines.map((line) => line.slice(0, MAX_LINE)).join('\n');
}
