import { PoolAtWork } from './poolAtWork.ts';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { controllerPlaces, agentPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import type { Identity } from '#host/identity/certificate.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { pinOfCertificate } from '#host/identity/pin.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { Database } from '#sync/state/database.ts';
import { parseAgentConfig } from '../../../agent/config/agentConfig.ts';
import { Credentials } from '../../../agent/connection/credentials.ts';
import type { Dialled, DialOptions } from '../../../agent/connection/dial.ts';
import { Agent } from '../../../agent/daemon/agent.ts';
import { Upgrades } from '../../../agent/upgrade/upgrades.ts';
import { parseControllerConfig } from '../../../controller/config/controllerConfig.ts';
import { controlApi } from '../../../controller/control/api.ts';
import type { ControllerHandlers } from '../../../controller/control/contract/contract.ts';
import { Controller } from '../../../controller/daemon/controller.ts';
import type { Peer } from '../../../controller/server/server.ts';
import { openFiles } from '../harness/resources.ts';
import { ManualClock } from '../wire/manualClock.ts';
import { asWebSocket } from '../wire/memorySocket.ts';
import { LineCutter } from './lineCutter.ts';

export const MDS = 'mds1';
/** A file of so many bytes is large here: it travels alone, and is gone on with. */
export const LARGE_FROM = 80 * 1024;
/** Nothing takes longer than this, real milliseconds: then one side waits forever. */
const PATIENCE = 60_000;
/** So often it is looked whether the thread pool is done, before some time is given to it. */
const QUICK_LOOKS = 10;
/** The most that the clock is moved at once, milliseconds. */
const STEP = 1_000;
const DIRECTORIES = ['/var/lib/xivo/sounds', '/var/lib/xivo/sounds/recordings'] as const;

const CONFIG = `
settle: 0ms
reserve: 0
guard: { percent: 100, files: 100000 }
trash: { keep: 1m }
reconcile: { every: 7d }
directories:
  - { name: dialplan, enabled: false }
  - { name: moh, enabled: false }
  - { name: recordings, settle: 0ms }
`;

/** What may be left over, counted. */
export type Left = Readonly<Record<string, number>>;

/** A whole Main and a whole MDS in this process, on folders of their own; a line in memory joins them, and the test has the time. */
export class MemoryPair {
  readonly clock = new ManualClock();
  readonly lines = new LineCutter();
  readonly log: string[] = [];
  readonly #folder: string;
  readonly #keys: { readonly main: Identity; readonly mds: Identity };
  #controller: Controller | undefined;
  #agent: Agent | undefined;
  #api: ControllerHandlers | undefined;
  /** Of this process, without the pair. */
  readonly #timersBefore = realTimers();

  private constructor(folder: string, keys: { main: Identity; mds: Identity }) {
    this.#folder = folder;
    this.#keys = keys;
  }

  static async make(): Promise<MemoryPair> {
    const memory = '/dev/shm';
    const base = hasRoom(memory) ? memory : (process.env['XDS_TEST_DIR'] ?? os.tmpdir());
    const folder = realpathSync(mkdtempSync(path.join(base, 'xds-every-cut-')));
    const [main, mds] = await Promise.all([
      createIdentity({ commonName: 'main' }),
      createIdentity({ commonName: MDS }),
    ]);
    const pair = new MemoryPair(folder, { main, mds });
    for (const side of ['main', 'mds'] as const)
      for (const directory of DIRECTORIES) mkdirSync(pair.at(side, directory), { recursive: true });
    // A directory that became empty is held.
    for (const directory of DIRECTORIES) writeFileSync(pair.at('main', `${directory}/kept.txt`), 'kept');
    await pair.startMain();
    const { registry } = pair.controller;
    registry.requestPending({ name: MDS, pin: mds.pin, address: '::1', now: pair.clock.now() });
    registry.approve(MDS, pair.clock.now());
    pair.startAgent();
    await pair.connected();
    return pair;
  }

  get controller(): Controller {
    if (this.#controller === undefined) throw new Error('Main does not run');
    return this.#controller;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('the agent does not run');
    return this.#agent;
  }

  /** What the command line reaches. */
  get api(): ControllerHandlers {
    if (this.#api === undefined) throw new Error('Main does not run');
    return this.#api;
  }

  get mdsIdentity(): Identity {
    return this.#keys.mds;
  }

  /** At once, or when Main has been started again. */
  whenMainRuns(work: (controller: Controller) => void): void {
    if (this.#controller !== undefined) work(this.#controller);
    else this.clock.after(1_000, () => this.whenMainRuns(work));
  }

  /** Lets so many milliseconds pass, in which both sides do what they do. */
  async pass(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.clock.after(milliseconds, resolve);
    await this.until('time passes', promise);
  }

  /** Where a path of a host lies. */
  at(side: 'main' | 'mds', absolute: string): string {
    return path.join(this.#folder, side, absolute);
  }

  async startMain(): Promise<void> {
    const root = new Root(path.join(this.#folder, 'main'));
    const places = controllerPlaces(root);
    for (const folder of [places.stateFolder, places.identityFolder, places.publishedFolder])
      mkdirSync(folder, { recursive: true });
    const config = {
      ...parseControllerConfig('controller.yml', CONFIG),
      listen: { host: '127.0.0.1', port: 0 },
    };
    const nothing = (): void => undefined;
    const controller = new Controller({
      config,
      identity: this.#keys.main,
      db: new Database(places.stateFile),
      root,
      clock: this.clock,
      log: this.logOf('main'),
      observers: { events: { applied: nothing, delivered: nothing, reloaded: nothing, conflict: nothing } },
      largeFrom: LARGE_FROM,
    });
    await controller.start();
    this.#controller = controller;
    this.#api = controlApi(controller);
  }

  startAgent(): void {
    const root = new Root(path.join(this.#folder, 'mds'));
    const places = agentPlaces(root);
    for (const folder of [places.stateFolder, places.identityFolder]) mkdirSync(folder, { recursive: true });
    const log = this.logOf('mds');
    const credentials = this.credentials(MDS, this.#keys.mds, true);
    const common = { places, clock: this.clock, log, credentials };
    const upgrades = new Upgrades({
      ...common,
      bandwidth: () => config.bandwidth,
      reserveBytes: 0,
      isService: true,
      globalArguments: [],
    });
    const config = { ...parseAgentConfig('agent.yml', 'reserve: 0'), reserveBytes: 0 };
    const db = new Database(places.stateFile);
    const own = [places.stateFolder];
    const host = { root, clock: this.clock, log, own, largeFrom: LARGE_FROM };
    const agent = new Agent({ config, host, db, credentials, upgrades });
    agent.start();
    this.#agent = agent;
  }

  /** A side's picture of a directory; undefined while that side does not run. */
  replica(side: 'main' | 'mds', directory: string): Replica | undefined {
    const daemon = side === 'main' ? this.#controller : this.#agent;
    return daemon?.directories.get(directory)?.replica;
  }

  /** Ends one side as SIGTERM does. */
  async stop(side: 'main' | 'mds'): Promise<void> {
    const [controller, agent] = [this.#controller, this.#agent];
    if (side === 'main') this.#controller = undefined;
    else this.#agent = undefined;
    await (side === 'main' ? controller?.stop() : agent?.stop());
  }

  /** Starts whichever side does not run. */
  async startAgain(): Promise<void> {
    if (this.#controller === undefined) await this.startMain();
    if (this.#agent === undefined) this.startAgent();
  }

  async end(): Promise<void> {
    await this.until('both sides end', Promise.all([this.stop('mds'), this.stop('main')]));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** An MDS's credentials, whose connections are lines of this test's. */
  credentials(name: string, identity: Identity, approved: boolean): Credentials {
    const folder = path.join(this.#folder, `identity-${name}`);
    mkdirSync(folder, { recursive: true });
    return new Credentials({
      folder,
      main: { host: 'main', port: 9443 },
      localAddress: undefined,
      identity,
      membership: { name, mainPin: this.#keys.main.pin, approved },
      clock: this.clock,
      log: this.logOf(name),
      dialMain: (options) => this.dial(options),
    });
  }

  /** Connects as an agent does. */
  async dial({
    path: where,
    certificatePem,
    signal,
  }: Pick<DialOptions, 'path' | 'certificatePem' | 'signal'>): Promise<
    Pick<Dialled, 'socket' | 'mainPin' | 'tls'>
  > {
    await turn();
    if (signal?.aborted === true) throw new Error('the agent is stopping');
    const controller = this.#controller;
    if (controller === undefined) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const certificate = new X509Certificate(certificatePem);
    const line = this.lines.make(where === '/agent');
    const peer: Peer = {
      socket: asWebSocket(line.b),
      tls: TLS,
      pin: pinOfCertificate(certificate),
      certificate: certificate.raw,
      address: '::1',
    };
    if (where === '/agent') controller.servicePort.connected(peer);
    else controller.servicePort.asksToEnrol(peer);
    return { socket: asWebSocket(line.a), mainPin: this.#keys.main.pin, tls: TLS };
  }

  /** Lets both sides work, and advances the clock whenever both are idle, until the condition holds. */
  async until<T>(what: string, work: Promise<T>): Promise<T> {
    let settled = false;
    const end = (): void => void (settled = true);
    work.then(end, end);
    await this.#pump(what, () => settled);
    return work;
  }

  async untilTrue(what: string, isSo: () => boolean): Promise<void> {
    await this.#pump(what, isSo);
  }

  async #pump(what: string, isDone: () => boolean): Promise<void> {
    const late = performance.now() + PATIENCE;
    let looks = 0;
    while (!isDone()) {
      const { delivered } = this.lines;
      for (let turns = 0; turns < 4; turns++) await turn();
      if (performance.now() > late)
        throw new Error(
          `${what}: that never comes. ${JSON.stringify(this.left())}, at work: ${process.getActiveResourcesInfo().join(' ')}`,
        );
      if (isDone() || delivered !== this.lines.delivered) continue;
      // The thread pool is at work, or a system timer that can't be sped up.
      if (this.#pool.isAtWork) {
        // What is not done at once waits for a core, which looking for it would only keep busy.
        if (++looks > QUICK_LOOKS) await sleep(1);
        continue;
      }
      looks = 0;
      if (realTimers() > this.#timersBefore + this.#timersAtRest) await sleep(1);
      this.clock.advance(Math.min(STEP, this.clock.nextIn ?? 0));
    }
  }

  /** Both run, and have a session on a line that lives, and nothing is left to be done. */
  async connected(): Promise<void> {
    await this.untilTrue('both are connected and idle', () => {
      const session = this.#controller?.sessions.get(MDS);
      const directories = [...(this.#agent?.directories.values() ?? [])];
      return (
        this.lines.lives &&
        session?.isReady === true &&
        directories.length === DIRECTORIES.length &&
        directories.every((each) => each.isComparable && each.jobs === 0) &&
        this.controller.sessions.openEnds === 0
      );
    });
  }

  /** What is open, waited for or under way. */
  left(): Left {
    const jobs = [...(this.#agent?.directories.values() ?? [])].reduce((sum, each) => sum + each.jobs, 0);
    return {
      'open files': openFiles(process.pid),
      'timers on the clock': this.clock.timers,
      "the system's timers": realTimers(),
      'questions and streams of Main': this.#controller?.sessions.openEnds ?? 0,
      'questions and streams of the MDS': this.#agent?.link.openEnds ?? 0,
      'jobs of the MDS': jobs,
      'connections open': this.lines.open,
    };
  }

  #rest: Left | undefined;
  readonly #pool = new PoolAtWork();

  get #timersAtRest(): number {
    return (this.#rest?.["the system's timers"] ?? this.#timersBefore) - this.#timersBefore;
  }

  /** From now on this is what may be there. */
  async takesRest(): Promise<void> {
    this.#rest = undefined;
    let before = '';
    for (let same = 0; same < 20;) {
      for (let turns = 0; turns < 10; turns++) await turn();
      await sleep(5);
      this.clock.advance(50);
      const now = JSON.stringify(this.left());
      // What is at work does not wait on the clock, and would seem to be one timer too many later.
      same = now === before && !this.#pool.isAtWork ? same + 1 : 0;
      before = now;
    }
    this.#rest = this.left();
  }

  /** @throws when more is left over than at the beginning */
  async isAtRest(): Promise<void> {
    const rest = this.#rest;
    if (rest === undefined) return;
    const more = (): string[] =>
      Object.entries(this.left()).flatMap(([what, count]) =>
        count > (rest[what] ?? 0) ? [`${what}: ${count}, and ${rest[what]} at rest`] : [],
      );
    const late = performance.now() + 60_000;
    // Main rests for up to a minute after a copy of a version.
    const lateOnClock = this.clock.monotonic() + 30 * 60_000;
    let step = 50;
    while (more().length > 0) {
      for (let turns = 0; turns < 4; turns++) await turn();
      if (performance.now() > late || this.clock.monotonic() > lateOnClock)
        throw new Error(
          `something is left over: ${more().join('; ')}\non the clock: ${this.clock.waiting.join('\n  ')}`,
        );
      if (this.#pool.isAtWork) continue;
      await sleep(1);
      this.clock.advance(step);
      // Less than the interval of pings, so that they are answered.
      step = Math.min(1_000, step * 1.05);
    }
  }

  logOf(side: string): Logger {
    const add =
      (level: string) =>
      (event: string, details?: object): void => {
        const { error, ...rest } = (details ?? {}) as { error?: Error };
        this.log.push(`${side} ${level} ${event} ${JSON.stringify(rest)} ${error?.stack ?? ''}`);
        if (this.log.length > 200) this.log.splice(0, 100);
      };
    const logger: Logger = {
      debug: () => undefined,
      info: add('info'),
      warn: add('warn'),
      error: add('error'),
      child: () => logger,
    };
    return logger;
  }
}

/** As much of a TLS connection as an enrolment looks at. */
const TLS = {
  getProtocol: () => 'TLSv1.3',
  exportKeyingMaterial: () => Buffer.alloc(32, 7),
} as unknown as Peer['tls'];

function realTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 200_000_000;
  } catch {
    return false;
  }
}
