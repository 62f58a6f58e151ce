import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MdsStatus, Status } from '../../../controller/control/contract/contract.ts';
import { VERSION } from '#host/version.ts';
import { eventually } from '../../support/harness/host.ts';
import { debianImage, type Release } from './images.ts';
import { Machine, Network, type Ran } from './machine.ts';
import { builtPackages, installPackage } from './packages.ts';

export const AGENT = 'xivo-xds-sync-agent';

/** A Main and an MDS on which systemd has booted, in containers: the units as they are, with every wall that they build. */
export class Site {
  readonly folder: string;
  readonly main: Machine;
  readonly mds: Machine;
  readonly #network: Network;
  #packages = '';

  private constructor(folder: string, network: Network, release: Release, asterisk: boolean) {
    this.folder = folder;
    this.#network = network;
    const common = { folder, network, boot: true };
    this.main = new Machine({ ...common, release: 'bookworm', name: 'main', address: '10.99.0.1' });
    this.mds = new Machine({ ...common, release, name: 'mds1', address: '10.99.0.2', asterisk });
  }

  /**
   * Boots both.
   * @param options.release the MDS's: Main is a Debian 12
   * @param options.asterisk keeps the release's own Asterisk on the MDS
   * @returns the site; or why there is none, since booting may not be possible somewhere
   */
  static async boot(options: { release: Release; asterisk?: boolean }): Promise<Site | string> {
    if (process.getuid?.() !== 0) return 'mounts and networks need root';
    let site: Site | undefined;
    try {
      for (const release of ['bookworm', options.release] as const) debianImage(release);
      const folder = mkdtempSync(path.join(tmpdir(), 'xds-site-'));
      site = new Site(folder, new Network(), options.release, options.asterisk === true);
      await Promise.all([site.main.booted(), site.mds.booted()]);
      return site;
    } catch (error) {
      await site?.end();
      return `no systemd can be booted here: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Makes Main a Main, and starts its service. @param settings more lines of its controller.yml */
  async startMain(settings = ''): Promise<void> {
    this.#packages = builtPackages(this.folder);
    installPackage(this.#packages, this.main, 'xivo-xds-sync', VERSION);
    const conf = '/etc/xivo-xds-sync/controller.yml';
    this.main.write(conf, `${this.main.read(conf)}\n${settings}`);
    this.main.ok(`xivo-xds-sync init --listen ${this.main.address}:9443`);
    await this.#mainAnswers();
  }

  /** Takes a package away, as dpkg does without --purge, and installs it again. */
  reinstall(machine: Machine, name: string): void {
    machine.ok(`dpkg --remove ${name}`);
    installPackage(this.#packages, machine, name, VERSION);
  }

  async upgradeMain(version: string): Promise<void> {
    installPackage(this.#packages, this.main, 'xivo-xds-sync', version);
    this.main.ok('systemctl restart xivo-xds-sync');
    await this.#mainAnswers();
  }

  /** Makes the MDS one, by the line that "mds add" prints. @returns what was printed there */
  async join(): Promise<string> {
    const { code, stdout, stderr } = this.main.run('xivo-xds-sync mds add mds1');
    assert.equal(code, 0, stderr);
    const fetch = stderr.split('\n').find((line) => line.trimStart().startsWith('wget')) ?? '';
    const said = this.mds.ok(`cd /root; ${fetch}`, stdout.trim());
    await this.inSync();
    return said;
  }

  status(): MdsStatus | undefined {
    return (JSON.parse(this.main.run('xivo-xds-sync status --json').stdout) as Status).mds[0];
  }

  async inSync(): Promise<void> {
    await this.until('the MDS is in sync', () => this.status()?.inSync === true);
  }

  /** Waits, and tells what both sides say when it waited in vain. */
  async until(what: string, isSo: () => boolean, withinMs = 30_000): Promise<void> {
    await eventually(what, isSo, withinMs).catch((error: Error) =>
      assert.fail(`${error.message}\n${JSON.stringify(this.status())}\n${this.journal()}`),
    );
  }

  /** What the agent said of late. */
  journal(lines: number | 'all' = 60): string {
    return this.mds.run(`journalctl --no-pager --lines ${lines} --identifier xivo-xds-sync`).stdout;
  }

  /** What systemd knows of a unit. */
  property(name: string, unit = AGENT, machine = this.mds): string {
    return machine.ok(`systemctl show --value --property ${name} ${unit}`).trim();
  }

  /** Runs a command as the agent would see its files: behind the same walls. */
  asAgent(command: string): Ran {
    return this.mds.run(`exec nsenter --target ${this.property('MainPID')} --mount sh -c '${command}'`);
  }

  async end(): Promise<void> {
    for (const machine of [this.mds, this.main]) await machine.end();
    this.#network.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #mainAnswers(): Promise<void> {
    await eventually('Main answers', () => this.main.run('xivo-xds-sync mds list').code === 0, 60_000);
  }
}
