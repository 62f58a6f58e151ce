import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { controllerPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { createLogger } from '#host/log/logger.ts';
import { systemClock } from '#host/time/clock.ts';
import { Database } from '#sync/state/database.ts';
import { parseControllerConfig } from '../../../controller/config/controllerConfig.ts';
import { Controller } from '../../../controller/daemon/controller.ts';
import type { MainDirectory } from '../../../controller/directories/mainDirectory.ts';
import { AgentEnd, HELLO, settled } from './agentEnd.ts';
import { memoryFolder } from './memoryFolder.ts';

export const DIALPLAN = '/etc/asterisk/extensions_extra.d';
export const RECORDINGS = '/var/lib/xivo/sounds/recordings';

const CONFIG = `
settle: 0ms
reserve: 0
directories:
  - { name: moh, enabled: false }
  - { name: sounds, enabled: false }
  - { name: dialplan, lint: 'off' }
  - { name: recordings, settle: 0ms }
`;

let identity: Promise<Identity> | undefined;

/** Main in this process, on folders of its own: its directories are read, and it listens on no port. */
export class MainInProcess {
  readonly controller: Controller;
  /** Warnings and errors. */
  readonly log: string[] = [];
  /** What they give as the cause. */
  readonly causes: unknown[] = [];
  readonly observed: string[] = [];
  readonly #root: string;

  private constructor(folder: string, main: Identity, config: string) {
    this.#root = folder;
    const root = new Root(folder);
    const places = controllerPlaces(root);
    mkdirSync(places.stateFolder, { recursive: true });
    mkdirSync(places.identityFolder, { recursive: true });
    this.controller = new Controller({
      config: parseControllerConfig('controller.yml', config),
      identity: main,
      db: new Database(places.stateFile),
      root,
      clock: systemClock,
      log: createLogger('warn', ({ event, details }) => {
        this.log.push(event);
        this.causes.push(details?.['error']);
      }),
      observers: {
        events: {
          applied: (mds, directory, actions) =>
            this.observed.push(`${mds} applied ${actions.length} in ${directory}`),
          delivered: (directory) => this.observed.push(`${directory} delivered`),
          reloaded: (mds, kind, ok) => this.observed.push(`${mds} reloaded ${kind} ${ok}`),
          conflict: (mds, directory, name) => this.observed.push(`${mds} conflict ${directory}/${name}`),
        },
      },
    });
  }

  /** @param files their content by absolute path, before the first scan */
  static async start(
    t: TestContext,
    files: Readonly<Record<string, string>> = {},
    config = CONFIG,
  ): Promise<MainInProcess> {
    const folder = memoryFolder();
    identity ??= createIdentity({ commonName: 'main' });
    const main = new MainInProcess(folder, await identity, config);
    for (const { path: each } of main.controller.config.directories)
      mkdirSync(path.join(folder, each), { recursive: true });
    for (const [file, content] of Object.entries(files)) main.write(file, content);
    for (const directory of main.controller.directories.values()) {
      await directory.start();
      // A file that was written in this moment counts as being written.
      await directory.replica.whenQuiet(2_000);
    }
    await settled();
    t.after(async () => {
      await main.controller.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    return main;
  }

  directory(name: string): MainDirectory {
    const directory = this.controller.directories.get(name);
    if (directory === undefined) throw new Error(`there is no directory ${name}`);
    return directory;
  }

  at(absolute: string): string {
    return path.join(this.#root, absolute);
  }

  read(absolute: string): string | undefined {
    try {
      return readFileSync(this.at(absolute), 'utf8');
    } catch {
      return undefined;
    }
  }

  write(absolute: string, content: string): void {
    mkdirSync(path.dirname(this.at(absolute)), { recursive: true });
    writeFileSync(this.at(absolute), content);
  }

  /** A person writes a file, and Main has read it and kept its content. @returns the id of the save */
  async save(absolute: string, content: string | undefined): Promise<string> {
    if (content === undefined) rmSync(this.at(absolute), { recursive: true });
    else this.write(absolute, content);
    await this.#readAgain();
    const directory = [...this.controller.directories.values()]
      .filter(({ config }) => absolute.startsWith(`${config.path}/`))
      .sort((a, b) => b.config.path.length - a.config.path.length)[0];
    const { save } = directory?.originators.of(absolute.slice(directory.config.path.length + 1)) ?? {};
    return save ?? '';
  }

  async #readAgain(): Promise<void> {
    for (const directory of this.controller.directories.values()) await directory.readAgain();
    // Contents of the dialplan are kept a turn later.
    await settled();
  }

  /** Enrols an MDS, and connects an agent that the test plays. */
  async mds(name = 'mds1', hello: object = {}): Promise<AgentEnd> {
    const { registry, sessions, clock } = this.controller;
    const pin = createHash('sha256').update(name).digest('hex');
    if (registry.findByPin(pin) === undefined) {
      registry.requestPending({ name, pin, address: '192.0.2.1', now: clock.now() });
      registry.approve(name, clock.now());
    }
    const agent = new AgentEnd();
    await sessions.admit({ socket: agent.socket, pin, address: '192.0.2.1' }, true);
    agent.say({ ...HELLO, ...hello });
    await settled();
    return agent;
  }
}
