import { randomBytes } from 'node:crypto';
import { changeSetId } from '#core/changeSet.ts';
import { displaces, undoesOwn } from '#core/plan/action.ts';
import type { AgentReport, FromAgent, Hello } from '#protocol/messages/session.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import type { History } from '#sync/state/history.ts';
import { StateMemory, type ReportedState } from '#sync/state/peerState.ts';
import type { ControllerConfig } from '../config/controllerConfig.ts';
import { isInSync } from '../control/status/directoryStatus.ts';
import type { CanaryRelease } from '../directories/canaryRelease.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { Rotation } from '../enrolment/keyRotation.ts';
import type { Observer } from '../daemon/observer.ts';
import type { Pause } from '../daemon/pause.ts';
import { ActivationTimes } from '../metrics/activationTimes.ts';
import type { Agent } from '../registry/records.ts';
import type { Versions } from '../versions/versions.ts';
import type { Delivery } from './lag.ts';
import type { LiveSessions } from './liveSessions.ts';
import type { SessionLog } from './sessionLog.ts';
import type { OwnedSession, SessionOwner, Terms } from './sessionOwner.ts';
import type { Pruning } from './prunings.ts';
import type { Grant } from './offers/grant.ts';
import { recordOf } from './offers/historyRows.ts';
import { logAccepted, MAX_LOGGED } from './offers/logAccepted.ts';

/** The parts of Main that an agent's session uses. */
export type SessionsMain = {
  readonly db: Database;
  readonly keeper: DeferredWriter;
  readonly history: History;
  readonly versions: Versions;
  readonly rotation: Rotation;
  readonly canaries: CanaryRelease;
  readonly sessionLog: SessionLog;
  readonly observer: Observer;
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly sessions: LiveSessions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ControllerConfig;
  readonly pause: Pause;
};

/** Handles the messages of one agent while it has a session. */
export class AgentOwner implements SessionOwner {
  readonly #main: SessionsMain;
  readonly #agent: Agent;
  readonly #log: Logger;
  readonly #memory: StateMemory;
  /** The state that the agent reported in this session. */
  #state: ReportedState | undefined;
  readonly #activations = new ActivationTimes();

  constructor(main: SessionsMain, agent: Agent, log: Logger) {
    this.#main = main;
    this.#agent = agent;
    this.#log = log;
    this.#memory = new StateMemory(main.db, main.keeper, `agent:${agent.name}`);
  }

  sequence(): number {
    return this.#main.db.sequence;
  }

  hold(name: string): string | null {
    const { directories, canaries } = this.#main;
    const directory = directories.get(name);
    return directory === undefined ? null : canaries.gate.hold(directory, this.#agent.name);
  }

  terms(hello: Hello): Terms {
    const mismatch = this.#memory.mismatch(hello.state);
    if (mismatch !== undefined) this.#log.warn('the agent came back with another state', { state: mismatch });
    this.#state = hello.state;
    const { db, config, pause } = this.#main;
    return {
      main: { stateId: db.stateId, sequence: db.sequence, runs: [...db.runs] },
      additive: mismatch !== undefined,
      directories: config.directories.map(
        ({ name, path, direction, deletions, settleMs, reload, reloadAlways, lint, exclude }) => ({
          name,
          path,
          direction,
          deletions,
          settle: settleMs,
          reload,
          reloadAlways,
          lint,
          exclude: [...exclude],
        }),
      ),
      guard: config.guard,
      reconcileEvery: config.reconcile.everyMs,
      paused: pause.isOn,
    };
  }

  recorder(directory: MainDirectory, conflicts: ReadonlySet<string>, grant?: Grant): OnCommit {
    const { history, clock, log, observer } = this.#main;
    const { name } = this.#agent;
    // Measured from the offer, so that the transfer of the content is included.
    const startedAt = clock.monotonic();
    return (changeSet, outcomes) => {
      const rows = recordOf(name, directory.name, changeSet, outcomes, conflicts, clock.now(), grant);
      const durationMs = Math.round(clock.monotonic() - startedAt);
      for (const row of rows) {
        history.add({ ...row, durationMs });
        if (row.kind === 'conflict') observer.conflict(name, directory.name, row.path ?? row.detail);
      }
      logAccepted(log, rows);
    };
  }

  ready(session: OwnedSession): void {
    const { keeper, versions, rotation } = this.#main;
    for (const directory of this.#versioned())
      keeper.write(() => versions.appliedRevisions.meet(directory.name, session.name));
    const details = { address: session.address, version: session.agentVersion };
    this.#main.sessionLog.connected(session.name, this.#log, details);
    if (rotation.nextPin !== undefined) session.announceNextPin(rotation.nextPin);
  }

  /** Records the agent's actions in the history and in the log. */
  applied(applied: Extract<FromAgent, { type: 'applied' }>, pruning: Pruning | undefined): void {
    const { directory, actions, dialplan, durationMs } = applied;
    const { directories, keeper, versions, history, clock, log, observer } = this.#main;
    const mds = this.#agent.name;
    const changeSet = this.#idOf(applied);
    observer.applied(mds, directory, actions);
    const at = clock.now();
    const took = durationMs !== undefined && { durationMs };
    const originators = directories.get(directory)?.originators;
    // An MDS's own edit is undone because of who edited there; all else follows a change on Main.
    const originOf = (path: string, action: string): { actor: string; save: string | null } => {
      if (pruning !== undefined) return { actor: pruning.actor, save: pruning.save };
      if (action === 'restore') return { actor: mds, save: null };
      return originators?.of(path) ?? { actor: 'reconcile', save: null };
    };
    keeper.write(() => {
      if (versions.isCompact(directory))
        versions.appliedRevisions.applied(directory, mds, changeSet, actions);
      for (const { action, path, reason, bytes } of actions) {
        const detail = `${path}: ${reason}`;
        const kind = pruning === undefined ? action : 'prune';
        const row = { at, mds, directory, changeSet, kind, detail, path, reason, bytes };
        history.add({ ...row, ...took, ...originOf(path, action) });
      }
      const [first] = actions;
      if (dialplan === undefined || first === undefined) return;
      // The summary belongs to the save of the files that it sums up.
      const row = { at, mds, directory, changeSet, kind: 'dialplan', detail: dialplan };
      history.add({ ...row, ...took, ...originOf(first.path, first.action) });
    });
    const bytes = actions.reduce((sum, action) => sum + action.bytes, 0);
    const summary = dialplan !== undefined && { dialplan };
    log.info('applied', { mds, directory, changes: actions.length, bytes, changeSet, ...summary });
    // Of a larger set, only what undoes something that was done on the MDS itself.
    const listed = actions.length > MAX_LOGGED ? actions.filter(undoesOwn).slice(0, MAX_LOGGED) : actions;
    for (const each of listed) {
      const { action, path, reason } = each;
      const edit = displaces(each) && {
        edit: `in the trash of ${mds}: xivo-xds-sync diff ${mds} ${directory}/${path}`,
      };
      log.info(action, { mds, directory, path, reason, ...edit });
    }
  }

  /** An MDS names its change sets itself. One that takes the id of a save would decide what a rollback of that save undoes. */
  #idOf({ directory, changeSet }: Extract<FromAgent, { type: 'applied' }>): string {
    const { directories, history, clock } = this.#main;
    const isTaken =
      [...directories.values()].some(({ originators }) => originators.isSave(changeSet)) ||
      history.isSave(changeSet);
    if (!isTaken) return changeSet;
    const own = changeSetId(clock.now(), randomBytes(8).toString('hex'));
    this.#log.warn('the agent named a change set by the id of a save', { directory, save: changeSet, own });
    return own;
  }

  reported(report: AgentReport, delivered: readonly Delivery[]): void {
    const { clock, keeper, versions, canaries, directories, observer } = this.#main;
    const { name } = this.#agent;
    for (const { directory, changedAt, ms } of delivered) {
      observer.delivered(directory, ms);
      const reload = directories.get(directory)?.config.reload;
      if (reload !== undefined) this.#activations.await(reload, changedAt);
    }
    for (const { kind, ok, afterMs } of this.#activations.learn(report))
      observer.reloaded(name, kind, ok, afterMs);
    if (this.#state !== undefined) this.#memory.learn(this.#state, report.sequence, clock.monotonic());
    for (const directory of this.#versioned()) {
      // The next report repeats it.
      if (isInSync(directory, report))
        keeper.attempt(() => versions.appliedRevisions.inSync(directory.name, name));
    }
    if (canaries.gate.isCanary(name)) canaries.judge();
  }

  knowsIdentity(pin: string): void {
    this.#main.rotation.learned(this.#agent.pin, pin);
  }

  closed(session: OwnedSession, reason: string): void {
    const { clock, sessions, sessionLog } = this.#main;
    this.#memory.write(clock.monotonic());
    sessions.left(session);
    sessionLog.ended(session.name, this.#log, reason, { address: session.address });
  }

  #versioned(): MainDirectory[] {
    const { directories, versions } = this.#main;
    return [...directories.values()].filter(({ name }) => versions.isCompact(name));
  }
}
