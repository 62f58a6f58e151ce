import type { PlannedAction } from '#protocol/messages/common.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { ChangeSet, Outcome } from '#core/changeSet.ts';
import { revert } from '#sync/apply/revert.ts';
import { errnoOf } from '#host/fs/errno.ts';
import { withRemedy } from '#host/fs/remedy.ts';
import type { Lane } from '#host/process/turns.ts';
import type { ContextChange } from '#core/dialplan/summary.ts';
import { type Entry, sameEntry } from '#core/manifest/entry.ts';
import { actionOf } from '#core/plan/action.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { ReadonlyDecisions } from '#core/plan/decisions.ts';
import type { Database } from '#sync/state/database.ts';
import { type Activation, refusalText } from '../../asterisk/activation/activation.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { AgreedState } from '../agreedState.ts';
import { actionsOf, announce, type Announcing } from './announce.ts';
import { download, type Downloaded, type Incoming, isIncoming, type JobResult } from './download.ts';
import type { Job } from './schedule.ts';
import { TransferSlots } from './transferSlots.ts';
import { agreedAfter, upload } from './upload.ts';

export type JobRunnerOptions = Announcing & {
  readonly sync: SyncDirectory;
  readonly db: Database;
  readonly agreed: AgreedState;
  /** For a directory that Asterisk reads. */
  readonly activation: Activation | undefined;
  readonly lane?: Lane | undefined;
  /** Called inside the transaction that records a change set, with its removals. */
  readonly onApplied: (removed: readonly Entry[]) => void;
  /** Called inside the same transaction with what was done, for the history. @param durationMs how long it took */
  readonly onDone: (changeSet: string, actions: readonly PlannedAction[], durationMs?: number) => void;
};

export type JobEnd = {
  readonly results: ReadonlyMap<string, JobResult>;
  /** Lint or Asterisk refused the set: the same set would be refused again. */
  readonly refused: boolean;
};

/** The findings of a dry run for a set: why its files would not become visible, and its effect on the dialplan. */
export type Rehearsal = {
  readonly reasons: ReadonlyMap<string, string>;
  readonly changes: readonly ContextChange[];
};

/** Carries jobs out, from the transfer to the ledger. */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  /**
   * Losers of conflicts that are already in Main's trash, by path, while the winner is still missing here: offered once
   * only.
   */
  readonly #kept = new Map<string, Entry>();
  readonly #slots = { fromMain: new TransferSlots(), toMain: new TransferSlots() };

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  /** Size from which a file is transferred alone and can be resumed, bytes. */
  get largeFrom(): number {
    return this.#options.sync.applier.resumableFrom;
  }

  /**
   * Never throws: errors are in the results.
   * @param held removals on this MDS that are on hold
   */
  async run(job: Job, held: ReadonlySet<string>, session: AgentSession): Promise<JobEnd> {
    try {
      return job.kind === 'download'
        ? await this.#download(job, held, session)
        : await this.#upload(job, session);
    } catch (error) {
      const why = errnoOf(error);
      const failed = { result: 'failed' as const, why };
      return { results: new Map([...job.items.keys()].map((path) => [path, failed])), refused: false };
    }
  }

  /**
   * Rehearses a change set for a dry run: its content is fetched and linted as for the real one, and nothing becomes
   * visible. Reports what would prevent it and its effect for callers.
   */
  async rehearse(
    items: ReadonlyDecisions,
    held: ReadonlySet<string>,
    session: AgentSession,
  ): Promise<Rehearsal> {
    const { sync, activation } = this.#options;
    const { name: directory, applier, replica } = sync;
    const incoming = new Map<string, Incoming>();
    for (const [path, item] of items) if (isIncoming(item)) incoming.set(path, item);
    if (activation === undefined || incoming.size === 0) return { reasons: new Map(), changes: [] };
    let changes: Rehearsal['changes'] = [];
    try {
      const { results } = await download({
        directory,
        items: incoming,
        session,
        applier,
        replica,
        record: () => undefined,
        whole: activation.isWhole,
        rehearsal: true,
        judge: async (changed) => {
          const judged = await activation.rehearse(changed, held);
          changes = judged.changes;
          return judged;
        },
      });
      // A file that changed meanwhile is planned again, and is no obstacle.
      const failed = [...results].filter(([, { result }]) => result === 'failed');
      return { reasons: new Map(failed.map(([path, { why = 'it failed' }]) => [path, why])), changes };
    } catch (error) {
      // The real set would fail, too (a full disk, an unreadable folder).
      this.#options.log.warn('a change set could not be rehearsed', { error });
      const why = withRemedy(errnoOf(error));
      return { reasons: new Map([...incoming.keys()].map((path) => [path, why])), changes };
    }
  }

  /** Records what a change set did that a crash had cut off, in the transaction that ends it. */
  recordRecovered(changeSet: ChangeSet, outcomes: readonly Outcome[]): void {
    this.#recorder(new Map())(changeSet, outcomes);
  }

  async #download(
    job: Job & { kind: 'download' },
    held: ReadonlySet<string>,
    session: AgentSession,
  ): Promise<JobEnd> {
    const { sync, agreed, activation, onDone } = this.#options;
    const { name: directory, applier, replica } = sync;
    const startedAt = performance.now();
    const recordAgreed = this.#recorder(job.items);
    let actions: readonly PlannedAction[] = [];
    const record: OnCommit = (changeSet, outcomes) => {
      recordAgreed(changeSet, outcomes);
      actions = actionsOf(directory, job.items, outcomes);
      if (actions.length > 0) onDone(changeSet.id, actions, performance.now() - startedAt);
    };
    const before = new Map([...job.items.keys()].map((path) => [path, agreed.ledger.entries.get(path)]));
    const done = await this.#inAHurry(() =>
      download({
        directory,
        items: job.items,
        session,
        applier,
        replica,
        record,
        slots: job.size === 'bulk' && activation === undefined ? this.#slots.fromMain : undefined,
        whole: activation?.isWhole === true,
        ...(activation && {
          judge: (changed, permissions) => activation.judge(changed, held, permissions),
        }),
      }),
    );
    sync.adopt(done.outcomes);
    announce(this.#options, session, done.changeSet?.id, actions, {
      summary: await activation?.summary(),
      durationMs: performance.now() - startedAt,
    });
    if (activation === undefined || done.refused !== undefined) {
      return { results: done.results, refused: done.refused !== undefined };
    }
    const takenBack = await this.#activate(activation, session, done, before);
    return { results: takenBack ?? done.results, refused: takenBack !== undefined };
  }

  /** Other directories wait meanwhile, for a moment, if this one is urgent. */
  async #inAHurry<T>(work: () => Promise<T>): Promise<T> {
    using _hurry = this.#options.lane?.hurry();
    return await work();
  }

  /**
   * Reloads Asterisk after a change set. If it refuses, the previous files are restored as one set.
   * @returns the result for each path
   */
  async #activate(
    activation: Activation,
    session: AgentSession,
    { results, outcomes, changeSet }: Downloaded,
    before: ReadonlyMap<string, Entry | undefined>,
  ): Promise<Map<string, JobResult> | undefined> {
    if (changeSet === undefined || !outcomes.some(({ result }) => result === 'done')) return undefined;
    const paths = outcomes.map(({ step }) => step.path);
    const refusal = await activation.activate(new Set(paths));
    if (refusal === undefined) return undefined;
    const { sync, agreed, log, onApplied, onDone } = this.#options;
    const { name: directory, applier } = sync;
    const why = refusalText(refusal);
    const actions = paths.map((path) => ({
      directory,
      action: 'restore' as const,
      path,
      bytes: 0,
      reason: why,
    }));
    const record: OnCommit = (_changeSet, reverted) => {
      for (const { step, result } of reverted) {
        if (result === 'done') agreed.agree(step.path, before.get(step.path));
      }
      onApplied([]);
      onDone(changeSet.id, actions);
    };
    sync.adopt(await revert(changeSet, outcomes, before, { applier, record }));
    log.error('a change set was taken back', { changeSet: changeSet.id, reason: why });
    announce(this.#options, session, changeSet.id, actions);
    await activation.activate(new Set());
    return new Map([...results, ...paths.map((path) => [path, { result: 'failed' as const, why }] as const)]);
  }

  async #upload(job: Job & { kind: 'upload' }, session: AgentSession): Promise<JobEnd> {
    const startedAt = performance.now();
    const { sync, db, agreed } = this.#options;
    const { name: directory, replica } = sync;
    const isKept = (path: string, item: Decision): boolean => {
      const kept = this.#kept.get(path);
      return item.kind === 'lose' && kept !== undefined && sameEntry(kept, item.loser);
    };
    const toSend = new Map([...job.items].filter(([path, item]) => !isKept(path, item)));
    const slots = job.size === 'bulk' ? this.#slots.toMain : undefined;
    const results = await upload({
      directory,
      items: toSend,
      session,
      replica,
      resumableFrom: this.largeFrom,
      slots,
    });
    for (const [path, item] of job.items) {
      if (item.kind !== 'lose') continue;
      if (isKept(path, item)) results.set(path, { result: 'done' });
      else if (results.get(path)?.result === 'done') this.#kept.set(path, item.loser);
    }
    const sent = [...job.items].flatMap(([path, item]) =>
      results.get(path)?.result === 'done' ? (actionOf(directory, path, item) ?? []) : [],
    );
    db.transaction(() => {
      db.advance();
      for (const [path, { result }] of results) {
        const item = job.items.get(path);
        if (result === 'done' && item && item.kind !== 'lose') agreed.agree(path, agreedAfter(item));
      }
      if (sent.length > 0) this.#options.onDone('', sent, performance.now() - startedAt);
    });
    const winners = winnersOf(job, results);
    if (winners.size === 0) return { results, refused: false };
    const delivery = { kind: 'download', size: 'bulk', items: winners } as const;
    const delivered = await this.#download(delivery, new Set(), session);
    for (const [path, { result }] of delivered.results) if (result === 'done') this.#kept.delete(path);
    return { results: new Map([...results, ...delivered.results]), refused: delivered.refused };
  }

  /** Updates the ledger, in the transaction that ends the change set. */
  #recorder(items: ReadonlyMap<string, Decision>): OnCommit {
    const { agreed, db, onApplied } = this.#options;
    return (_changeSet, outcomes) => {
      const done = outcomes.filter(({ step, result }) => result === 'done' && step.kind !== 'keep');
      if (done.length === 0) return;
      for (const { step } of done) if (step.kind === 'move') agreed.agree(step.from, undefined);
      for (const { step } of done) agreed.agree(step.path, step.kind === 'remove' ? undefined : step.entry);
      db.advance();
      onApplied(done.flatMap(({ step }) => (items.get(step.path)?.kind === 'remove' ? [step.entry] : [])));
    };
  }

  /** Records a change set that a person requested. */
  announce(session: AgentSession, changeSet: string, actions: readonly PlannedAction[]): void {
    this.#options.onDone(changeSet, actions);
    announce(this.#options, session, changeSet, actions);
  }
}

/** Main has the losers of these conflicts in its trash: the winners may now replace them here. */
function winnersOf(
  job: Job & { kind: 'upload' },
  results: ReadonlyMap<string, JobResult>,
): Map<string, Decision & { kind: 'deliver' }> {
  const winners = new Map<string, Decision & { kind: 'deliver' }>();
  for (const [path, item] of job.items) {
    if (item.kind !== 'lose' || results.get(path)?.result !== 'done') continue;
    const { winner: entry, loser: expect, reason } = item;
    const plain = { replacesSpecial: false, content: true, drift: false };
    winners.set(path, { kind: 'deliver', entry, expect, reason, ...plain });
  }
  return winners;
}
