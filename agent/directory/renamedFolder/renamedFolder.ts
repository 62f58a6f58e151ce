import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { FromMain } from '#protocol/messages/session.ts';
import { type ChangeSet, changeSetId, type Outcome, type Step } from '#core/changeSet.ts';
import { sameEntry } from '#core/manifest/entry.ts';
import { entryOf, fileOf } from '#core/manifest/pathState.ts';
import { baseOf, isBelow, isOverride, parentOf, refusePath } from '#core/path/relative.ts';
import { isNested } from '#core/path/nesting.ts';
import { mayRenameFolders } from '#core/plan/policy.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { TimeSlice } from '#host/time/timeSlice.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { DirectoryEvents } from '../directoryEvents.ts';
import { announce } from '../jobs/announce.ts';
import type { JobRunner } from '../jobs/jobRunner.ts';
import type { PlanFacts } from '../planFacts.ts';
import type { Reconciler } from '../reconciler.ts';
import { agreedPaths } from './agreedPaths.ts';

/** How long Main's changes are waited for, after the last of them, milliseconds. */
const PATIENCE = 10_000;
/** How long a start waits for files that are still being written, milliseconds. */
const SETTLED = 5_000;
/** Files that are recorded at a time, so that the event loop goes on in between. */
const PORTION = 700;
const REASON = 'its folder was renamed on Main';

const rename = z.object({ from: z.string(), to: z.string() });
type Rename = z.infer<typeof rename>;

export type RenamedFolderOptions = {
  readonly facts: PlanFacts;
  readonly place: DirectoryPlace;
  readonly sync: SyncDirectory;
  readonly runner: Pick<JobRunner, 'recordRecovered'>;
  readonly events: DirectoryEvents;
  readonly reconciler: Pick<Reconciler, 'isAtRest' | 'isPaused' | 'suspend'>;
  /** The connection to Main, while there is one. */
  readonly session: () => AgentSession | undefined;
};

/**
 * Renames a folder here as soon as Main says that it has another name there, in one step: callers hear its files at once, while
 * the thousands of changes that follow are still being sent. Nothing is planned until these have arrived, or don't come: a plan
 * by half of them would undo the rest. Then the ledger gets their new paths, and a plan finds what still differs, as
 * ever, whatever Main has said meanwhile.
 *
 * It is only done where every object below the folder is Main's, and it is written down first: after a crash the ledger is
 * corrected before anything is planned, since Main's files would be taken for local ones under their new names.
 */
export class RenamedFolder {
  readonly #options: RenamedFolderOptions;
  readonly #key: string;
  /** The paths of which Main has not said yet that they are gone under their old names. */
  #awaited = new Set<string>();
  #underWay: Promise<void> = Promise.resolve();
  #heard = (): void => undefined;
  #cancelWait: () => void = () => undefined;
  #isClosing = false;

  constructor(options: RenamedFolderOptions) {
    this.#options = options;
    this.#key = `renamed-folder:${options.sync.name}`;
  }

  /** Renames the folder, if that is safe; otherwise its files are renamed one by one, once their changes have arrived. */
  take({ from, to }: Extract<FromMain, { type: 'folder-renamed' }>): void {
    const { place, reconciler } = this.#options;
    const session = this.#options.session();
    if (session === undefined || !this.#isFree()) return;
    // Where something is by the new name, or the folder would be inside itself, the kernel refuses it.
    if (isOverride(to) || isNested(place.nested, to)) return;
    try {
      const paths = this.#rename({ from, to });
      if (paths === undefined) return;
      place.log.info('folder renamed', { from, to, paths: paths.size });
      this.#awaited = paths;
    } catch (error) {
      place.log.debug('folder not renamed as a whole', { from, to, error });
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#heard = resolve;
    session.signal.addEventListener('abort', () => resolve(), { once: true });
    this.#wait();
    this.#underWay = this.#complete({ from, to }, promise);
    reconciler.suspend(this.#underWay);
  }

  /** Main has changed these paths. */
  heard(paths: readonly string[]): void {
    if (this.#awaited.size === 0) return;
    const { mainManifest } = this.#options.facts;
    const before = this.#awaited.size;
    for (const path of paths) if (mainManifest.get(path) === undefined) this.#awaited.delete(path);
    if (this.#awaited.size < before) this.#wait();
  }

  /** Corrects the ledger, after the first scan, if a rename was cut off. */
  async recover(): Promise<void> {
    const { sync, place } = this.#options;
    const stored = place.db.meta(this.#key);
    if (stored === undefined) return;
    // The old names are gone for certain only once they have stayed away for a while.
    await sync.replica.whenQuiet(SETTLED);
    const read = rename.safeParse(place.db.readJson(stored));
    if (!read.success) throw place.db.damagedBy('its note of a renamed folder is invalid');
    await this.#record(read.data);
    this.#forget();
  }

  /** Ends the wait; what was renamed is recorded at the next start. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#heard();
    await this.#underWay;
  }

  /**
   * True when this directory equals Main's, nothing is in progress or on hold, and its files only travel from Main and one by
   * one. While a rename is under way, the directory is not at rest.
   */
  #isFree(): boolean {
    const { facts, reconciler } = this.#options;
    if (!mayRenameFolders(facts.policy)) return false;
    return !this.#isClosing && reconciler.isAtRest && !reconciler.isPaused && !facts.removals.isAdditive;
  }

  /** @returns the old paths of it and of what is in it; undefined when it is not renamed */
  #rename({ from, to }: Rename): Set<string> | undefined {
    const { facts, place, sync } = this.#options;
    using open = new OpenFolders(place.path);
    const agreedAt = (at: string): Set<string> | undefined =>
      agreedPaths({ at, as: from }, open, sync.replica, facts.agreed.ledger);
    const paths = agreedAt(from);
    if (paths?.values().some((path) => refusePath(renamed(path, { from, to })) !== undefined) !== false)
      return undefined;
    open.forget(from);
    const [before, after] = open.both(parentOf(from), parentOf(to));
    place.db.transaction(() => place.db.setMeta(this.#key, JSON.stringify({ from, to })));
    try {
      before.rename(baseOf(from), after, baseOf(to), 'no-replace');
    } catch (error) {
      this.#forget();
      throw error;
    }
    // RACE: another program creates a file in a folder between the check and the rename. Worst case: it has the folder's new
    // name for a moment, until the folder is put back; for good if the old name is taken by then.
    if (agreedAt(to) !== undefined) return paths;
    open.forget(to);
    try {
      after.rename(baseOf(to), before, baseOf(from), 'no-replace');
    } catch {
      // The old name is taken, so what was put into the folder stays in it.
      return paths;
    }
    this.#forget();
    return undefined;
  }

  #wait(): void {
    this.#cancelWait();
    if (this.#awaited.size === 0) return this.#heard();
    this.#cancelWait = this.#options.place.clock.after(PATIENCE, () => this.#heard());
  }

  /** Never fails: what could not be recorded is at the next start. */
  async #complete(done: Rename, heard: Promise<void>): Promise<void> {
    const { sync, place } = this.#options;
    try {
      await sync.replica.recheck([done.from, done.to]);
      await heard;
      if (this.#isClosing) return;
      await this.#record(done);
      this.#forget();
    } catch (error) {
      place.log.error('a renamed folder could not be recorded; it is tried again at the next start', {
        error,
      });
    } finally {
      this.#cancelWait();
      this.#awaited = new Set();
    }
  }

  /** Enters into the ledger what of it lies under the new name, whatever else has happened. */
  async #record(done: Rename): Promise<void> {
    const { facts, place } = this.#options;
    const { agreed } = facts;
    const slice = new TimeSlice();
    const startedAt = performance.now();
    const others: string[] = [];
    let steps: Step[] = [];
    for (const path of [...agreed.ledger.entries.keys()]) {
      if (path !== done.from && !isBelow(path, done.from)) continue;
      if (agreed.ledger.entries.get(path)?.type !== 'file') others.push(path);
      else steps.push(...this.#moveOf(path, renamed(path, done)));
      if (steps.length < PORTION) continue;
      this.#recordSteps(steps, startedAt);
      steps = [];
      if (slice.due) await slice.pause();
    }
    this.#recordSteps(steps, startedAt);
    place.db.transaction(() => others.forEach((path) => this.#recordOther(path, renamed(path, done))));
  }

  /** What became of one of its files; none when it is not this file that lies there. */
  #moveOf(from: string, path: string): Step[] {
    const { facts, sync } = this.#options;
    const agreedOn = facts.agreed.ledger.entries.get(from);
    const here = fileOf(sync.replica.get(path));
    const expect = sync.replica.stampAt(path);
    if (agreedOn === undefined || here === undefined || expect === undefined) return [];
    if (!sameEntry(agreedOn, here)) return [];
    return [{ kind: 'move', path, from, entry: here, expect, reason: REASON }];
  }

  /**
   * A folder or link is Main's under its new name, too, so that it goes when Main does not have it. What becomes of the old name
   * is for the next plan.
   */
  #recordOther(from: string, path: string): void {
    const { facts, sync } = this.#options;
    const agreedOn = facts.agreed.ledger.entries.get(from);
    const here = entryOf(sync.replica.get(path));
    if (agreedOn === undefined || here === undefined || here.type !== agreedOn.type) return;
    if (here.type === 'folder' || sameEntry(agreedOn, here)) facts.agreed.agree(path, here);
  }

  #recordSteps(steps: readonly Step[], startedAt: number): void {
    if (steps.length === 0) return;
    const { place, sync, runner, events, facts } = this.#options;
    const { name: directory } = sync;
    const { clock, db, log } = place;
    const id = changeSetId(clock.now(), randomBytes(4).toString('hex'));
    const changeSet: ChangeSet = { id, directory, steps };
    const outcomes = steps.map((step): Outcome => ({ step, result: 'done' }));
    const actions = steps.flatMap((step): PlannedAction[] => {
      const common = { directory, bytes: 0, reason: REASON };
      const moved = step.kind === 'move' ? [{ ...common, action: 'remove' as const, path: step.from }] : [];
      return [{ ...common, action: 'send', path: step.path }, ...moved];
    });
    const durationMs = performance.now() - startedAt;
    db.transaction(() => {
      runner.recordRecovered(changeSet, outcomes);
      events.done(id, actions, { saves: facts.mainManifest, durationMs });
    });
    const session = this.#options.session();
    if (session !== undefined) announce({ sync, log }, session, id, actions, { durationMs });
  }

  #forget(): void {
    const { db } = this.#options.place;
    db.transaction(() => db.setMeta(this.#key, undefined));
  }
}

/** Where a path below the folder is now. */
function renamed(path: string, { from, to }: Rename): string {
  return to + path.slice(from.length);
}
