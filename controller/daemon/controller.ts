import type { ControllerConfig } from '../config/controllerConfig.ts';
import type { ControllerPlaces } from '#host/config/places.ts';
import type { Root } from '#host/config/rootPath.ts';
import { Owners } from '#host/fs/owners.ts';
import type { Identity } from '#host/identity/certificate.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Database } from '#sync/state/database.ts';
import { History } from '#sync/state/history.ts';
import { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { Tasks } from '#host/process/tasks.ts';
import type { Clock } from '#host/time/clock.ts';
import { VERSION } from '#host/version.ts';
import { CanaryRelease } from '../directories/canaryRelease.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Revision } from '../directories/publication.ts';
import { openMainDirectories } from '../directories/openMainDirectories.ts';
import type { Agent } from '../registry/records.ts';
import { publishCertificate } from '../enrolment/publishCertificate.ts';
import { Registry } from '../registry/registry.ts';
import { PeerLog } from '../server/peerLog.ts';
import { MediaServers } from '../mediaServers/mediaServers.ts';
import { InstallFiles } from '../server/installFiles.ts';
import { Server, type Peer } from '../server/server.ts';
import { refuseAdmission } from '../sessions/admission.ts';
import { BandwidthLimits } from '../sessions/bandwidthLimits.ts';
import { AgentOwner } from '../sessions/agentOwner.ts';
import { ControllerSession } from '../sessions/controllerSession.ts';
import { SessionLog } from '../sessions/sessionLog.ts';
import { LiveSessions, type SessionPeer } from '../sessions/liveSessions.ts';
import { Alarms } from './alarms.ts';
import { TokenBucket } from '../enrolment/tokenBucket.ts';
import { ConditionTracker } from '../conditions/tracker.ts';
import { logConditions, toAll } from '../conditions/watch.ts';
import type { ConditionEvents } from '../conditions/tracker.ts';
import type { Observer } from './observer.ts';
import { handleEnrolment } from '../enrolment/enrolments.ts';
import { Rotation } from '../enrolment/keyRotation.ts';
import { SigningLimit } from '../enrolment/signingLimit.ts';
import { SyncTimes } from '../control/status/syncTimes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { takeOver } from '../config/reloadable.ts';
import { unknownCanaries } from '../config/canaries.ts';
import { Versions } from '../versions/versions.ts';
import { FullPasses } from './fullPasses.ts';
import { Pause } from './pause.ts';

/** Limit of stored requests for approval, which any client that reaches the port can make. */
const ENROLMENTS = { most: 50, refillMs: 1_000 };

export type ControllerOptions = {
  readonly config: ControllerConfig;
  readonly identity: Identity;
  readonly db: Database;
  readonly places: ControllerPlaces;
  readonly root: Root;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: Observer;
  /** Notified of conditions that begin and end, in addition to the log. */
  readonly conditionEvents?: ConditionEvents;
  /** Size from which transfers can be resumed, bytes; the production value if absent. */
  readonly largeFrom?: number;
};

/** The daemon of Main: directories, registry and sessions. */
export class Controller {
  config: ControllerConfig;
  identity: Identity;
  readonly rotation: Rotation;
  readonly clock: Clock;
  readonly log: Logger;
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly history: History;
  readonly versions: Versions;
  readonly registry: Registry;
  readonly alarms: Alarms;
  /** The current conditions and when each began; updated by every status. */
  readonly conditions: ConditionTracker;
  readonly syncTimes = new SyncTimes();
  readonly mediaServers: MediaServers;
  readonly canaries: CanaryRelease;
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly sessions: LiveSessions;
  readonly startedAt: number;
  readonly owners = new Owners();
  port: number;
  readonly #server: Server;
  readonly #peerLog: PeerLog;
  readonly sessionLog: SessionLog;
  readonly #bucket: TokenBucket;
  readonly #signing: SigningLimit;
  readonly #places: ControllerPlaces;
  readonly #installFiles: InstallFiles;
  readonly #bandwidth: BandwidthLimits;
  readonly observer: Observer;
  readonly #stop = new AbortController();
  readonly pause: Pause;
  readonly passes: FullPasses;
  /** True after the first scan: from then on, a missing file is known to be removed. */
  #isRead = false;
  readonly #tasks: Tasks;

  /** @throws when state, registry or configuration can't be used; the message says which, and the remedy */
  constructor(options: ControllerOptions) {
    const { config, identity, db, places, root, clock, log } = options;
    this.config = config;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.identity = identity;
    this.clock = clock;
    this.log = log;
    this.startedAt = clock.now();
    this.port = config.listen.port;
    this.db = db;
    this.keeper = new DeferredWriter({
      db,
      clock,
      log,
      onNews: () => undefined,
      onRecovered: () => undefined,
    });
    this.history = new History(this.db);
    const compact = config.directories.filter(({ reload }) => reload === 'dialplan').map(({ name }) => name);
    this.versions = new Versions({
      db: this.db,
      compact,
      places: new Map(config.directories.map(({ name, path }) => [name, root.path(path)])),
      budget: () => this.config.trash.budgetBytes,
      reserve: config.reserveBytes,
    });
    this.registry = new Registry(places.identityFolder);
    this.alarms = new Alarms(clock, log);
    this.observer = options.observer;
    const { conditionEvents } = options;
    this.conditions = new ConditionTracker(
      toAll([logConditions(log), ...(conditionEvents === undefined ? [] : [conditionEvents])]),
    );
    this.#places = places;
    this.#bandwidth = new BandwidthLimits(() => this.config.bandwidth, clock);
    this.#peerLog = new PeerLog(log, clock);
    this.sessionLog = new SessionLog(clock);
    this.#bucket = new TokenBucket(clock, ENROLMENTS);
    this.#signing = new SigningLimit(clock, config.certificates.lifeMs);
    this.rotation = new Rotation({
      folder: places.identityFolder,
      registry: this.registry,
      log,
      announce: (pin) => this.#announce(pin),
    });
    this.sessions = new LiveSessions({
      registry: this.registry,
      alarms: this.alarms,
      clock,
      log,
      open: (peer, agent) => this.#open(peer, agent),
    });
    this.pause = new Pause({
      db,
      keeper: this.keeper,
      clock,
      onChange: (isOn) => {
        for (const session of this.sessions.values()) session.pause(isOn);
      },
    });
    this.directories = openMainDirectories({
      config,
      root,
      db,
      owners: this.owners,
      versions: this.versions,
      largeFrom: options.largeFrom,
      clock,
      log,
      onRevision: (revision) => this.#broadcast(revision),
      onFinding: (directory, detail) => this.#recordFinding(directory, detail),
    });
    this.canaries = new CanaryRelease({
      directories: this.directories,
      canaries: () => this.#canaries(),
      reportOf: (name) => this.sessions.get(name)?.report,
      onRelease: (directory) => this.#retell(directory),
      log,
    });
    this.passes = new FullPasses({
      directories: this.directories,
      sessions: () => this.sessions.values(),
      every: () => this.config.reconcile.everyMs,
      purge: () => this.#purge(),
      clock,
      log,
    });
    this.mediaServers = new MediaServers({
      config: config.mediaServers,
      db: this.db,
      keeper: this.keeper,
      clock,
      log,
      onChange: () => this.#suspend(),
    });
    this.#installFiles = new InstallFiles(places, log);
    this.#server = new Server({
      listen: config.listen,
      keyPem: identity.keyPem,
      certificatePem: identity.certificatePem,
      refuseSession: (pin, certificateDer, address) =>
        refuseAdmission(
          {
            registry: this.registry,
            mediaServers: this.mediaServers,
            peerLog: this.#peerLog,
            certificatePem: () => this.identity.certificatePem,
            now: () => clock.now(),
          },
          { pin, certificateDer, address },
        ),
      onUnauthenticated: (event, address, reason) => this.#peerLog.warn(event, address, { reason }),
      onSession: (peer) => this.connected(peer),
      onEnrol: (peer) => this.asksToEnrol(peer),
      onRequest: (request, response, keep) =>
        this.#tasks.run('a download failed', () => this.#installFiles.answer(request, response, keep)),
      onError: (error) => log.error('the service port failed', { error }),
    });
  }

  /** Aborted when Main stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The agent package of Main's version, if there is one. */
  get agentPackage(): string | undefined {
    return this.#installFiles.agentPackage;
  }

  async start(): Promise<void> {
    const reading = Promise.all([...this.directories.values()].map((directory) => directory.start()));
    // Scanning hundreds of thousands of files takes a while; enrolment and downloads do not wait for it.
    this.port = await this.#server.listen();
    await reading;
    this.#isRead = true;
    this.pause.endIfDue();
    this.#tasks.run('there are no full passes any more', () => this.passes.run(this.#stop.signal));
    this.mediaServers.start();
    this.log.info('controller started', {
      version: VERSION,
      listen: `${this.config.listen.host}:${this.port}`,
      directories: [...this.directories.keys()].join(','),
    });
  }

  /**
   * Stops everything in order.
   * @param untilQuiet waits for commands that are still running
   */
  async stop(untilQuiet: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    this.#stop.abort();
    this.pause.stop();
    await this.mediaServers.stop();
    // Work for agents ends, and is recorded, before the database is closed.
    await Promise.all([this.#server.close(), this.sessions.end('Main is stopping')]);
    await Promise.all([...this.directories.values()].map((directory) => directory.close()));
    await this.#tasks.ended();
    await untilQuiet();
    this.rotation.close();
    this.keeper.close();
    this.db.close();
    this.log.info('controller stopped');
  }

  /** MDS that Main knows: enrolled, waiting for approval, or with a valid join token. */
  get knownMds(): ReadonlySet<string> {
    return this.registry.knownNames(this.clock.now());
  }

  /** Names in `canary` that Main does not know; changes do not wait for them. */
  get unknownCanaries(): string[] {
    return unknownCanaries(this.config.canary, this.knownMds);
  }

  #canaries(): string[] {
    const enrolled = new Set(this.registry.list().agents.map(({ name }) => name));
    return this.config.canary.filter((name) => enrolled.has(name));
  }

  /**
   * Applies a new configuration as far as possible without a restart.
   * @throws UsageError when it names a canary that does not exist; then nothing changes
   */
  reconfigure(next: ControllerConfig): void {
    const unknown = unknownCanaries(next.canary, this.knownMds);
    if (unknown.length > 0) throw new UsageError(`canary: there is no MDS ${unknown.join(', ')}`);
    const { config, changed, needRestart } = takeOver(this.config, next);
    this.config = config;
    this.log.info('configuration reloaded', { changed: changed.join(', ') || 'nothing' });
    if (needRestart.length > 0)
      this.log.warn('a restart is needed: systemctl restart xivo-xds-sync', {
        changed: needRestart.join(', '),
      });
    // Agents use the guard and the interval, too; they receive them when they connect.
    if (changed.some((key) => key === 'guard' || key === 'reconcile'))
      for (const session of this.sessions.values())
        session.close("Main's configuration was changed: connect again");
    if (changed.includes('canary'))
      for (const directory of this.directories.values()) this.#retell(directory);
  }

  /** Revokes an agent, and ends its session. */
  disconnect(pins: readonly Pin[], reason: string): void {
    this.sessions.disconnect(pins, reason);
  }

  #purge(): void {
    for (const directory of this.directories.values()) directory.purge(this.config.trash.keepMs);
    this.keeper.attempt(() => this.versions.purge(this.clock.now() - this.config.trash.keepMs));
  }

  #retell(directory: MainDirectory): void {
    for (const session of this.sessions.values()) session.announceHold(directory);
  }

  #broadcast(revision: Revision): void {
    const changedAt = this.directories.get(revision.directory)?.changedAt ?? this.clock.now();
    for (const session of this.sessions.values()) session.announceRevision(revision, changedAt);
  }

  /** Ends the sessions of MDS that were removed from XiVO's list. */
  #suspend(): void {
    for (const session of this.sessions.values()) {
      const why = this.mediaServers.whySuspended(session.name);
      if (why !== undefined) session.close(why);
    }
  }

  #announce(pin: Pin): void {
    for (const session of this.sessions.values()) session.announceNextPin(pin);
  }

  /** Activates the announced key: every agent reconnects, and renews its certificate. */
  switchIdentity(): void {
    this.identity = this.rotation.switch();
    publishCertificate(this.#places.publishedFolder, this.identity.certificatePem);
    this.#server.useIdentity(this.identity);
    for (const session of this.sessions.values()) session.close("Main's key was changed: connect again");
  }

  /** Called when an enrolled agent has connected. */
  connected(peer: SessionPeer): void {
    if (this.#stop.signal.aborted) return peer.socket.close(1001, 'Main is stopping');
    this.#tasks.run('a session could not be opened', () => this.sessions.admit(peer, this.#isRead));
  }

  /** Handles a request to enrol, to renew a certificate, or to leave. */
  asksToEnrol(peer: Peer): void {
    this.#tasks.run('an enrolment request could not be handled', () => this.#enrol(peer));
  }

  #open(peer: SessionPeer, agent: Agent): ControllerSession {
    const { socket, pin, address } = peer;
    const { directories, owners, clock } = this;
    const log = this.log.child({ mds: agent.name });
    return new ControllerSession({
      socket,
      name: agent.name,
      pin,
      address,
      version: VERSION,
      directories,
      owners,
      clock,
      log,
      pace: this.#bandwidth.paceOf(agent.name),
      owner: new AgentOwner(this, agent, log),
    });
  }

  /** Lint findings of Main's own files are recorded in the history, too. */
  #recordFinding(directory: string, detail: string): void {
    const row = { at: this.clock.now(), mds: 'Main', directory, changeSet: '', kind: 'lint', detail };
    this.keeper.write(() => this.history.add(row));
  }

  async #enrol(peer: Peer): Promise<void> {
    await handleEnrolment(peer, {
      registry: this.registry,
      identity: this.identity,
      rotation: this.rotation,
      directories: this.config.directories,
      certificateLifeMs: this.config.certificates.lifeMs,
      clock: this.clock,
      log: this.log,
      peerLog: this.#peerLog,
      bucket: this.#bucket,
      signing: this.#signing,
      onRevoked: (pins, why) => this.disconnect(pins, why),
      onAlarm: (message) => this.alarms.raise(message),
    });
  }
}
