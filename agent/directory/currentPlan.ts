import { entryOf } from '#core/manifest/pathState.ts';
import { isBelow, parentOf } from '#core/path/relative.ts';
import { type Decision, isFolderRemoval, isRemoval, type Removal } from '#core/plan/decision.ts';
import { Decisions } from '#core/plan/decisions.ts';
import { decidePath, leavesAsIs, type Plan } from '#core/plan/plan.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Replica } from '#sync/scan/replica.ts';
import type { AgreedState } from './agreedState.ts';
import { bothWays, type Moves, movesIn } from './jobs/moves.ts';
import { bytesToTravel } from './jobs/schedule.ts';
import type { MainManifest } from './manifest/mainManifest.ts';
import type { RemovalCounter } from './removalCounter.ts';
import type { Retries } from './retries.ts';

/** So many changes at a time are not those of a first pass. */
const FEW = 100;

export type CurrentPlanOptions = {
  readonly mainManifest: MainManifest;
  readonly replica: Replica;
  readonly agreed: AgreedState;
  readonly removals: RemovalCounter;
  readonly clock: Clock;
};

/** The need for a new plan over everything: at once, or after a delay in milliseconds. */
export type Replan = { readonly atOnce: boolean; readonly after?: number | undefined };

/** The pending actions of one directory, and what is on hold, from the newest plan of each path. */
export class CurrentPlan {
  /** The reason of a hold. */
  held: string | undefined;
  /** The removals on hold. */
  heldPaths: ReadonlySet<string> = new Set();
  /** The revision of Main's manifest that the newest plan is about. */
  revision = 0;
  readonly pending = new Decisions();
  /** Paths of the running jobs. */
  readonly inFlight = new Set<string>();
  /** What of the pending has changed as one of a few, so that it need not wait for a first pass. */
  readonly live = new Set<string>();
  /** Undefined when they are to be found. */
  #moves: Moves | undefined;
  readonly #options: CurrentPlanOptions;
  readonly #retries: Retries;

  constructor(options: CurrentPlanOptions, retries: Retries) {
    this.#options = options;
    this.#retries = retries;
  }

  /** Bytes to be transferred, in both directions, including those in progress. */
  get bytes(): number {
    let bytes = this.pending.newBytes;
    for (const [, decision] of this.pending.others()) bytes += bytesToTravel(decision);
    return bytes;
  }

  /** The pending removals, here or on Main. */
  get removals(): Map<string, Removal> {
    const removals = new Map<string, Removal>();
    // One by one: there may be as many as files, and this is looked at in every pass.
    for (const [path, decision] of this.pending.others())
      if (isRemoval(decision)) removals.set(path, decision);
    return removals;
  }

  /**
   * What a plan about changed paths has to cover. A mass removal may arrive in small portions, so pending removals are judged
   * together with new ones. They are not decided again, except of folders, which depend on what is in them, and of what a job
   * may have removed by now.
   * @returns the paths to decide, and the removals that stand
   */
  toPlan(changed: ReadonlySet<string>): { paths: Set<string>; standing: Map<string, Removal> } {
    const { entries } = this.#options.agreed.ledger;
    const paths = new Set(changed);
    const standing = new Map<string, Removal>();
    for (const [path, removal] of this.removals) {
      const isSame = !isFolderRemoval(removal) && !this.inFlight.has(path) && entries.has(path);
      if (isSame && !changed.has(path)) standing.set(path, removal);
      else paths.add(path);
    }
    return { paths, standing };
  }

  /**
   * The files that are to be renamed here, from the newest plan; some may be done already. They are found once for each plan,
   * since there may be as many as files, and jobs are started for a part of them at a time.
   */
  get moves(): Moves {
    if (this.#moves !== undefined) return this.#moves;
    const areAny = this.pending.others().some(([, { kind }]) => kind === 'remove');
    const from: ReadonlyMap<string, string> = areAny ? movesIn(this.pending) : new Map();
    return (this.#moves = bothWays(from));
  }

  /** The pending actions that can be refused: the same set would be refused again. */
  get signature(): string {
    const parts = [...this.pending].map(([path, decision]) => {
      const entry = decision.kind === 'deliver' ? decision.entry : undefined;
      return JSON.stringify([path, decision.kind, entry?.type === 'file' ? entry.hash : '']);
    });
    return parts.sort().join('\n');
  }

  /**
   * Applies a plan: changes of the ledger alone are made at once.
   * @param scope the planned paths
   * @throws when the ledger can't be written
   */
  take(made: Plan, scope: 'all' | ReadonlySet<string>): Replan {
    const { mainManifest, agreed } = this.#options;
    const replan = scope === 'all' ? this.#replaceAll(made) : this.#replaceSome(made, scope);
    this.revision = mainManifest.revision ?? 0;
    const learnt: string[] = [];
    const areFew = scope !== 'all' && made.decisions.size <= FEW;
    for (const [path, decision] of made.decisions) {
      this.pending.delete(path);
      if (decision.kind === 'agree') learnt.push(path);
      else if (decision.kind === 'forget') {
        if (!this.#isBeingFilled(path)) learnt.push(path);
      } else if (decision.kind === 'skip') this.#noteSkip(path, decision);
      else {
        this.pending.set(path, decision);
        if (areFew) this.live.add(path);
      }
    }
    // What is still pending stays live: neither a whole plan nor one about many others sends it to the end.
    for (const path of this.live) if (!this.pending.has(path)) this.live.delete(path);
    if (scope === 'all' || made.decisions.size > 0) this.#moves = undefined;
    if (scope === 'all') this.#forgetTroubles(made);
    agreed.learn(learnt, made.decisions);
    return replan;
  }

  /** Those that no job is working on: the others are judged when it ends. */
  *withoutInFlight(paths: Iterable<string>): Iterable<string> {
    for (const path of paths) if (!this.inFlight.has(path)) yield path;
  }

  /**
   * Takes out the paths of a job that has ended about which nothing is to be decided any more. A plan of them all would look
   * again, for each of many jobs, at everything in the folder that Main has removed or renamed.
   * @returns what is to be planned again
   */
  ended(paths: Iterable<string>, input: PlanInput): ReadonlySet<string> {
    const open = new Set<string>();
    const folders = new Set<string>();
    for (const path of paths) {
      if (!leavesAsIs(decidePath(input, path))) open.add(path);
      else {
        this.pending.delete(path);
        this.live.delete(path);
        this.#retries.succeeded(path);
        for (let at = parentOf(path); at !== '' && !folders.has(at); at = parentOf(at)) folders.add(at);
      }
    }
    if (this.pending.size === 0) this.#moves = undefined;
    // A decision about a folder may have waited for what is in it.
    for (const folder of folders)
      if (!this.pending.has(folder) && !leavesAsIs(decidePath(input, folder))) open.add(folder);
    return open;
  }

  #replaceAll(made: Plan): Replan {
    const { removals, clock } = this.#options;
    this.pending.clear();
    this.held = made.held;
    this.heldPaths = new Set(made.heldPaths);
    if (made.heldPaths.length > 0 && !removals.isAdditive) removals.held();
    const after = made.held === undefined ? removals.nothingHeld(clock.monotonic()) : undefined;
    return { atOnce: false, after };
  }

  #replaceSome(made: Plan, scope: ReadonlySet<string>): Replan {
    for (const path of scope) {
      this.pending.delete(path);
      if (!made.decisions.has(path)) this.#retries.succeeded(path);
    }
    this.held = made.held ?? this.held;
    // A hold is judged over everything, not over the current paths.
    return { atOnce: made.heldPaths.length > 0 };
  }

  /**
   * A job is running in this folder: its new files look local until they are in the ledger, and so does the folder.
   * Both are judged when the job ends.
   */
  #isBeingFilled(path: string): boolean {
    if (entryOf(this.#options.replica.get(path))?.type !== 'folder') return false;
    for (const inFlight of this.inFlight) if (isBelow(inFlight, path)) return true;
    return false;
  }

  #noteSkip(path: string, { failed, reason }: Decision & { kind: 'skip' }): void {
    if (failed) this.#retries.troubles.set(path, { at: this.#options.clock.now(), message: reason });
  }

  /** Errors of paths without pending actions are cleared. */
  #forgetTroubles(made: Plan): void {
    const { mainManifest, clock } = this.#options;
    for (const path of [...this.#retries.troubles.keys()]) {
      if (!made.decisions.has(path)) this.#retries.succeeded(path);
    }
    for (const [path, why] of mainManifest.refused) {
      const message = `Main names a path that is refused: ${why}`;
      this.#retries.troubles.set(path, { at: clock.now(), message });
    }
  }
}
