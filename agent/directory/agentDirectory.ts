import { existsSync } from 'node:fs';
import type { DirectoryPolicy, DirectoryReport } from '#protocol/messages/common.ts';
import type { ChangeSet, Outcome } from '#core/changeSet.ts';
import { Excludes } from '#core/path/excludes.ts';
import type { Guard } from '#core/plan/policy.ts';
import { Tasks } from '#host/process/tasks.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { DirectorySide } from '#sync/directory/directorySide.ts';
import { QUIET_EXTRA, SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { Changes } from '#sync/scan/pathIndex.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { Ledger } from '#sync/state/ledger.ts';
import type { ListedTrash } from '#sync/trash/trash.ts';
import type { Activation } from '../asterisk/activation/activation.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import { AgreedState } from './agreedState.ts';
import type { DirectoryEvents } from './directoryEvents.ts';
import { DirectoryPasses } from './directoryPasses.ts';
import { JobRunner } from './jobs/jobRunner.ts';
import { MainManifest } from './manifest/mainManifest.ts';
import { ManifestReceiver } from './manifest/manifestReceiver.ts';
import { makeRoot } from './makeRoot.ts';
import { OwnVersions } from './own/ownVersions.ts';
import { PlanAnswers } from './answers/planAnswers.ts';
import { reportOf, skippedPaths } from './answers/directoryReport.ts';
import { holdMemoryOf, RemovalCounter } from './removalCounter.ts';
import { RenamedFolder } from './renamedFolder/renamedFolder.ts';
import type { Retries } from './retries.ts';
import { restoreHere } from './own/restoreHere.ts';
import type { PlanFacts } from './planFacts.ts';
import { Reconciler } from './reconciler.ts';

export type AgentDirectoryOptions = {
  readonly policy: DirectoryPolicy;
  readonly guard: Guard;
  readonly place: DirectoryPlace;
  /** For a directory that Asterisk reads: lint before a change, reload after it. */
  readonly activation: Activation | undefined;
  readonly events: DirectoryEvents;
};

/**
 * One synchronised directory on this MDS: its replica, Main's manifest, and the reconciler that brings the two in sync.
 */
export class AgentDirectory implements DirectorySide {
  readonly name: string;
  readonly policy: DirectoryPolicy;
  readonly guard: Guard;
  /** Nested synchronised directories. */
  readonly nested: ReadonlySet<string>;
  readonly replica: Replica;
  readonly mainManifest: MainManifest;
  /** Handles Main's messages about this directory. */
  readonly manifest: ManifestReceiver;
  /** The differences of this MDS from Main. */
  readonly own: OwnVersions;
  /** Answers questions of people about the plan. */
  readonly plans: PlanAnswers;
  /** Files that were delivered before their name was excluded are removed. */
  readonly isExcluded: (path: string, isFolder: boolean) => boolean;
  readonly #options: AgentDirectoryOptions;
  readonly #facts: PlanFacts;
  readonly #sync: SyncDirectory;
  readonly #runner: JobRunner;
  readonly #reconciler: Reconciler;
  /** Full passes, as commands of Main and from time to time. */
  readonly passes: DirectoryPasses;
  readonly #tasks: Tasks;
  #started: Promise<void> | undefined;
  #isKnown = false;

  constructor(options: AgentDirectoryOptions) {
    this.#options = options;
    const { policy, guard, place, activation, events } = options;
    const { name } = policy;
    const { db, owners, clock, log, lane } = place;
    this.#tasks = new Tasks((what, error) => log.error(what, { error }));
    this.name = name;
    this.policy = policy;
    this.nested = place.nested;
    this.guard = guard;
    this.mainManifest = new MainManifest(owners, place.nested);
    const ledger = new Ledger(db, name);
    const excludes = new Excludes(policy.exclude ?? []);
    // Before the replica, which asks for it at once.
    this.isExcluded = (path, isFolder) =>
      !ledger.entries.has(path) && excludes.patternFor(path, isFolder) !== undefined;
    // Only if an empty directory here would empty Main's.
    const emptyIsHeld = policy.deletions === 'both';
    // What Asterisk reads travels as one set.
    const inParts = policy.reload === 'none';
    const rules = { name, settle: policy.settle, emptyIsHeld, whole: false, inParts };
    const sync = new SyncDirectory(place, rules, this);
    this.#sync = sync;
    this.replica = sync.replica;
    const { mainManifest, replica } = this;
    ledger.sharePaths(replica.paths());
    const agreed = new AgreedState(ledger, db, mainManifest, replica);
    const removals = new RemovalCounter(guard, holdMemoryOf(db, name, guard, events));
    const runner = new JobRunner({
      sync,
      db,
      agreed,
      activation,
      log,
      lane,
      onApplied: (removed) => {
        removals.count(removed, mainManifest, clock.monotonic());
        events.applied();
      },
      onDone: (changeSet, actions, durationMs) =>
        events.done(changeSet, actions, { saves: mainManifest, durationMs }),
    });
    this.#runner = runner;
    const facts = { policy, excludes, mainManifest, replica, agreed, removals, owners };
    this.#facts = facts;
    const reconciler = new Reconciler({ facts, runner, clock, log, lane, onNews: () => events.news() });
    this.#reconciler = reconciler;
    const session = (): AgentSession | undefined => manifest.session;
    const parts = { place, sync, mainManifest, runner, activation, reconciler, events, session };
    const renamed = new RenamedFolder({ ...parts, facts });
    const onManifest = (whenReady: () => void): void =>
      this.#tasks.run('the directory is not ready', () => this.#manifestIsHere(whenReady));
    const manifest = new ManifestReceiver({ ...parts, policy, agreed, renamed, onManifest });
    this.manifest = manifest;
    this.plans = new PlanAnswers({ ...parts, policy, ledger });
    const isConnected = (): boolean => session() !== undefined;
    this.passes = new DirectoryPasses({ ...parts, plans: this.plans, isConnected });
    this.own = new OwnVersions(parts);
  }

  /** True when Main's whole manifest has arrived and this directory has been scanned. */
  get isComparable(): boolean {
    return this.mainManifest.isReady && this.#reconciler.isPlanned;
  }

  /** True when Main's whole manifest has arrived once since the agent started, though it may be outdated. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The errors to be reported. */
  get troubles(): Retries['troubles'] {
    return this.#reconciler.retries.troubles;
  }

  /**
   * Called when a connection to Main is open: its manifest comes next.
   * @param additive the reason why removals are on hold, if they are
   */
  attach(session: AgentSession, paused: boolean, additive: string | undefined): void {
    const now = this.#options.place.clock.monotonic();
    this.#facts.removals.setAdditive(additive, now + this.policy.settle + QUIET_EXTRA);
    this.manifest.attach(session);
    this.#reconciler.attach(session, paused);
    this.manifest.request();
  }

  detach(): void {
    this.manifest.session = undefined;
    this.#reconciler.detach();
    this.mainManifest.forgetRevision();
  }

  /** True when a whole plan against Main's manifest was made and nothing is on hold because of a state mismatch. */
  get isSettledWithMain(): boolean {
    return this.isComparable && !this.#facts.removals.isAdditive;
  }

  /** Retries the work that failed because the state could not be written. */
  tryAgain(): void {
    this.#reconciler.resetBackoff();
    this.#reconciler.wake('all');
  }

  get isPaused(): boolean {
    return this.#reconciler.isPaused;
  }

  pause(paused: boolean): void {
    this.#reconciler.pause(paused);
  }

  async close(): Promise<void> {
    this.manifest.session = undefined;
    await this.#sync.close();
  }

  /** Scans everything, for a dry run as for the real one. */
  readAgain(): Promise<void> {
    return this.#sync.readAgain();
  }

  /** Allows the removals on hold, once, at a person's request. */
  async confirm(): Promise<void> {
    const { place } = this.#options;
    this.#facts.removals.confirm(place.clock.monotonic());
    if (this.replica.held !== undefined) {
      makeRoot(place, this.mainManifest.root);
      await this.replica.confirm();
    }
    this.#reconciler.wake('all');
  }

  /** @throws that the directory is being closed */
  trash(): Promise<ListedTrash> {
    return this.#sync.trash();
  }

  /** Restores an item of the trash. @throws when that is not possible, or Main's version would replace it at once */
  async restore(id: string, to: string): Promise<void> {
    await restoreHere(this.#sync, { id, to }, this);
  }

  /** Deletes expired items from the trash. @param keep milliseconds */
  async purge(keep: number): Promise<void> {
    await this.#sync.purge(keep);
  }

  /** Paths that are not synchronised with Main, and why. */
  skipped(): Iterable<{ path: string; reason: string }> {
    return skippedPaths(this.mainManifest, this.replica);
  }

  /** @param figures true when the receiver accepts bytes to go */
  report(figures: boolean): DirectoryReport {
    return reportOf(this.name, this.#reconciler, this.#facts.agreed.counts, figures);
  }

  /** Jobs that have not ended. */
  get jobs(): number {
    return this.#reconciler.jobs;
  }

  /** Resolves when nothing is in progress and nothing can be done now. */
  whenIdle(): Promise<void> {
    return this.#reconciler.whenIdle();
  }

  takeChanges(changes: Changes): void {
    for (const path of changes.keys()) this.#facts.agreed.count(path);
    if (changes.size === 0) return;
    this.#reconciler.changedHere(changes.keys());
    this.#options.events.changedHere();
  }

  holdChanged(): void {
    this.#reconciler.wake('all');
  }

  withLease<T>(show: () => T, signal: AbortSignal): Promise<T> {
    const { activation } = this.#options;
    return activation === undefined ? Promise.resolve(show()) : activation.withLease(show, signal);
  }

  recordRecovered(changeSet: ChangeSet, outcomes: readonly Outcome[]): void {
    this.#runner.recordRecovered(changeSet, outcomes);
  }

  /** A refusal by Asterisk is reported with the reload; nothing can be reverted any more. */
  recovered(): void {
    const { activation } = this.#options;
    if (activation === undefined) return;
    this.#tasks.run('the reload after a change set failed', () => activation.activate(new Set()));
  }

  /** Findings are planned when the manifest has arrived. */
  scanned(): void {}

  async endWork(): Promise<void> {
    await this.manifest.renamed.close();
    await this.#reconciler.close();
    await this.#tasks.ended();
  }

  async #manifestIsHere(whenReady: () => void): Promise<void> {
    this.#started ??= this.#start();
    await this.#started;
    if (this.#sync.isClosing) return;
    for (const path of new Set([...this.replica.paths(), ...this.mainManifest.paths()]))
      this.#facts.agreed.count(path);
    this.#reconciler.begin();
    this.#isKnown = true;
    whenReady();
  }

  async #start(): Promise<void> {
    const { place } = this.#options;
    if (!existsSync(place.path) && this.#facts.agreed.ledger.entries.size === 0)
      makeRoot(place, this.mainManifest.root);
    await this.#sync.start();
    if (!this.#sync.isClosing) await this.manifest.renamed.recover();
  }
}
