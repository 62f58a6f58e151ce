import type { ControllerConfig } from '../config/controllerConfig.ts';
import { controllerPlaces } from '#host/config/places.ts';
import type { Root } from '#host/config/rootPath.ts';
import { Owners } from '#host/fs/owners.ts';
import type { Identity } from '#host/identity/certificate.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Database } from '#sync/state/database.ts';
import { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import { History } from '#sync/state/history.ts';
import { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { Tasks } from '#host/process/tasks.ts';
import type { Clock } from '#host/time/clock.ts';
import { VERSION } from '#host/version.ts';
import { CanaryRelease } from '../directories/canaryRelease.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import { openMainDirectories } from '../directories/openMainDirectories.ts';
import type { Agent } from '../registry/records.ts';
import { Registry } from '../registry/registry.ts';
import { MediaServers } from '../mediaServers/mediaServers.ts';
import { ServicePort } from '../server/servicePort.ts';
import { BandwidthLimits } from '../sessions/bandwidthLimits.ts';
import { AgentOwner } from '../sessions/agentOwner.ts';
import { ControllerSession } from '../sessions/controllerSession.ts';
import { SessionLog } from '../sessions/sessionLog.ts';
import { LastSeen } from '../sessions/lastSeen.ts';
import { LiveSessions, type SessionPeer } from '../sessions/liveSessions.ts';
import { Alarms } from './alarms.ts';
import { HoldStarts } from '../conditions/holdStarts.ts';
import { ConditionTracker } from '../conditions/tracker.ts';
import { logConditions, toAll } from '../conditions/watch.ts';
import type { Observer, Observers } from './observer.ts';
import type { Rotation } from '../enrolment/keyRotation.ts';
import { SyncTimes } from '../control/status/syncTimes.ts';
import { UsageError } from '#host/cli/usageError.ts';
import { takeOver } from '../config/reloadable.ts';
import { unknownCanaries } from '../config/canaries.ts';
import { Versions } from '../versions/versions.ts';
import { FullPasses } from './fullPasses.ts';
import { Pause } from './pause.ts';

export type ControllerOptions = {
  readonly config: ControllerConfig;
  readonly identity: Identity;
  readonly db: Database;
  readonly root: Root;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observers: Observers;
  /** Size from which transfers can be resumed, bytes; the production value if absent. */
  readonly largeFrom?: number;
};

/** The daemon of Main: directories, registry and sessions. */
export class Controller {
  config: ControllerConfig;
  readonly servicePort: ServicePort;
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
  readonly holdStarts: HoldStarts;
  readonly syncTimes = new SyncTimes();
  readonly mediaServers: MediaServers;
  readonly canaries: CanaryRelease;
  readonly #thread: StagingThread;
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly sessions: LiveSessions;
  readonly startedAt: number;
  readonly owners = new Owners();
  readonly sessionLog: SessionLog;
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
    const { config, identity, db, root, clock, log } = options;
    const { events, conditions } = options.observers;
    const places = controllerPlaces(root);
    this.config = config;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.clock = clock;
    this.log = log;
    this.startedAt = clock.now();
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
    this.observer = events;
    this.conditions = new ConditionTracker(
      toAll([logConditions(log), ...(conditions === undefined ? [] : [conditions])]),
    );
    this.holdStarts = new HoldStarts({ db, keeper: this.keeper, isRead: () => this.#isRead });
    this.#bandwidth = new BandwidthLimits(() => this.config.bandwidth, clock);
    this.sessionLog = new SessionLog(clock);
    this.sessions = new LiveSessions({
      registry: this.registry,
      alarms: this.alarms,
      clock,
      lastSeen: new LastSeen({
        db,
        keeper: this.keeper,
        clock,
        enrolled: new Set(this.registry.list().agents.map(({ name }) => name)),
      }),
      log,
      open: (peer, agent) => this.#open(peer, agent),
    });
    this.pause = new Pause({
      db,
      keeper: this.keeper,
      clock,
      onChange: (isOn) => this.sessions.pause(isOn),
    });
    this.#thread = new StagingThread(clock);
    this.directories = openMainDirectories({
      config,
      root,
      host: { clock, log, owners: this.owners },
      db,
      versions: this.versions,
      receiving: { largeFrom: options.largeFrom, thread: this.#thread },
      announce: {
        onRevision: (revision) =>
          this.sessions.announceRevision(
            revision,
            this.directories.get(revision.directory)?.changedAt ?? clock.now(),
          ),
        onFolderRenamed: (renamed) => this.sessions.announceFolderRename(renamed),
      },
      onFinding: (directory, detail) => this.#recordFinding(directory, detail),
    });
    this.canaries = new CanaryRelease({
      directories: this.directories,
      canaries: () => this.#canaries(),
      reportOf: (name) => this.sessions.get(name)?.report,
      onRelease: (directory) => this.sessions.announceHold(directory),
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
      onChange: () => this.sessions.closeSuspended(this.mediaServers),
    });
    this.servicePort = new ServicePort({
      main: this,
      identity,
      places,
      tasks: this.#tasks,
      isRead: () => this.#isRead,
    });
  }

  /** Aborted when Main stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Main's change to another key. */
  get rotation(): Rotation {
    return this.servicePort.rotation;
  }

  /** Ends early, without an error, when it is stopped meanwhile. */
  async start(): Promise<void> {
    const reading = Promise.all([...this.directories.values()].map((directory) => directory.start()));
    // Scanning hundreds of thousands of files takes a while; enrolment and downloads do not wait for it.
    await this.servicePort.listen();
    await reading;
    if (this.#stop.signal.aborted) return;
    this.#isRead = true;
    this.pause.endIfDue();
    this.#tasks.run('there are no full passes any more', () => this.passes.run(this.#stop.signal));
    this.mediaServers.start();
    this.log.info('controller started', {
      version: VERSION,
      listen: `${this.config.listen.host}:${this.servicePort.number}`,
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
    // Work for agents ends, and is recorded, before the database is closed. What is only staged is not waited for.
    for (const { applier } of this.directories.values()) applier.end();
    await Promise.all([this.servicePort.close(), this.sessions.end('Main is stopping')]);
    await Promise.all([...this.directories.values()].map((directory) => directory.close()));
    await this.#thread.close();
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
      this.sessions.closeAll("Main's configuration was changed: connect again");
    if (changed.includes('canary'))
      for (const directory of this.directories.values()) this.sessions.announceHold(directory);
  }

  async #purge(): Promise<void> {
    for (const directory of this.directories.values()) await directory.purge(this.config.trash.keepMs);
    this.keeper.attempt(() => this.versions.purge(this.clock.now() - this.config.trash.keepMs));
  }

  #open(peer: SessionPeer, agent: Agent): ControllerSession {
    const { socket, pin, address } = peer;
    const { directories, owners, clock } = this;
    const log = this.log.child({ mds: agent.name });
    return new ControllerSession({
      peer: { socket, name: agent.name, pin, address },
      version: VERSION,
      directories,
      host: { clock, log, owners },
      pace: this.#bandwidth.paceOf(agent.name),
      owner: new AgentOwner(this, agent, log),
    });
  }

  /** Lint findings of Main's own files are recorded in the history, too. */
  #recordFinding(directory: string, detail: string): void {
    const row = { at: this.clock.now(), mds: 'main', directory, changeSet: '', kind: 'lint', detail };
    this.keeper.write(() => this.history.add(row));
  }
}
