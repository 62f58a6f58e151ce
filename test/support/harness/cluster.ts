import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { MdsStatus, Status } from '../../../controller/control/contract/contract.ts';
import { freePort } from './freePort.ts';
import { eventually, FakeAsterisk, Host } from './host.ts';

export type Mds = Host & { readonly asterisk: FakeAsterisk };

export type ClusterOptions = {
  readonly mds?: readonly string[];
  /** Replaces the controller's configuration, but for `listen`. */
  readonly config?: string;
};

/** A Main and its MDS on this machine, each a process with a folder of its own. Ends with the test. */
export class Cluster {
  readonly folder: string;
  readonly main: Host;
  readonly mds: Mds[] = [];
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.main = new Host(folder, 'main', 'xivo-xds-sync');
  }

  /** Initialises Main; nothing runs yet. */
  static async make(options: ClusterOptions = {}): Promise<Cluster> {
    const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-'));
    const cluster = new Cluster(folder, await freePort());
    await cluster.main.ok(['init', '--no-service', '--listen', `127.0.0.1:${cluster.port}`]);
    if (options.config !== undefined) cluster.configure(options.config);
    for (const name of options.mds ?? ['mds1', 'mds2']) cluster.addHost(name);
    return cluster;
  }

  /** Makes it, starts Main, enrols and starts every MDS, and waits until all are in sync. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.make(options);
    try {
      await cluster.startMain();
      for (const mds of cluster.mds) await cluster.enrolAndStart(mds);
      await cluster.inSync();
      return cluster;
    } catch (error) {
      await cluster.end();
      throw error;
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

  async startMain(): Promise<void> {
    this.main.start();
    await eventually('Main answers', async () => {
      if (!this.main.isRunning) throw new Error(`Main ended: ${this.main.log}`);
      return (await this.main.run(['mds', 'list'])).code === 0;
    });
  }

  /** @param asterisk the command that the agent reloads; the recording script when not given */
  async enrol(mds: Mds, asterisk = mds.asterisk.script): Promise<void> {
    const token = await this.main.ok(['mds', 'add', mds.name]);
    await mds.ok(['enroll', '--main', `127.0.0.1:${this.port}`, '--token-file', '-'], token);
    const file = path.join(mds.root, 'etc/xivo-xds-sync/agent.yml');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nasterisk: "${asterisk}"\n`);
  }

  async enrolAndStart(mds: Mds): Promise<void> {
    await this.enrol(mds);
    mds.start();
  }

  async status(): Promise<Status> {
    const ran = await this.main.run(['status', '--json']);
    if (ran.code !== 0 && ran.code !== 1) throw new Error(`status ended with ${ran.code}: ${ran.stderr}`);
    return JSON.parse(ran.stdout) as Status;
  }

  async statusOf(name: string): Promise<MdsStatus> {
    const found = (await this.status()).mds.find((mds) => mds.name === name);
    if (found === undefined) throw new Error(`status says nothing of ${name}`);
    return found;
  }

  /** Waits until every MDS that runs is in sync. */
  async inSync(limit = 30_000): Promise<void> {
    let last = '';
    await eventually(
      'every MDS is in sync',
      async () => {
        const { mds } = await this.status();
        last = JSON.stringify(mds);
        const running = this.mds.filter((host) => host.isRunning).map(({ name }) => name);
        return running.every((name) => mds.find((each) => each.name === name)?.inSync === true);
      },
      limit,
    ).catch((error: Error) => {
      throw new Error(
        `${error.message}\n${last}\n--- Main's log\n${this.main.log}\n${this.mds.map((each) => `--- ${each.name}\n${each.log}`).join('\n')}`,
      );
    });
  }

  /** Ends everything and removes the folder. */
  async end(): Promise<void> {
    await Promise.all([this.main, ...this.mds].map((host) => host.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
