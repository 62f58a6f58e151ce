import { MAX_CONTENT_BYTES } from '#protocol/limits.ts';
import type { Difference } from '#protocol/messages/answers.ts';
import type { PlannedAction } from '#protocol/messages/common.ts';
import { type Beginning, readBeginning } from '#host/fs/readBeginning.ts';
import { RESERVED_NAME } from '#core/path/names.ts';
import { isOverride } from '#core/path/relative.ts';
import type { Step } from '#core/changeSet.ts';
import { printable } from '#core/text/printable.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { SyncDirectory } from '#sync/directory/syncDirectory.ts';
import type { Activation } from '../../asterisk/activation/activation.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { JobRunner } from '../jobs/jobRunner.ts';
import type { DirectoryEvents } from '../directoryEvents.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';
import type { Obstacle, Reconciler } from '../reconciler.ts';
import { differencesOf } from './differences.ts';
import { type Given, giveToMain } from './give.ts';
import { stepsToPrune } from './prune.ts';

export type OwnVersionsOptions = {
  readonly place: DirectoryPlace;
  readonly sync: SyncDirectory;
  readonly mainManifest: MainManifest;
  readonly runner: JobRunner;
  readonly activation: Activation | undefined;
  readonly reconciler: Reconciler;
  /** The connection to Main, while there is one. */
  readonly session: () => AgentSession | undefined;
  readonly events: Pick<DirectoryEvents, 'applied'>;
};

/** The differences of one directory on this MDS from Main, and the commands on them. */
export class OwnVersions {
  readonly #options: OwnVersionsOptions;

  constructor(options: OwnVersionsOptions) {
    this.#options = options;
  }

  /** @param under only this path and what is below it @throws Node's fs errors when the directory can't be opened */
  async differences(under?: string): Promise<Difference[]> {
    const { place, sync, reconciler } = this.#options;
    const { name: directory, replica } = sync;
    const { nested } = place;
    const obstacleOf = (path: string): Obstacle | undefined => reconciler.obstacleOf(path);
    const { items: trash } = await sync.trash();
    const input = reconciler.planInput();
    return differencesOf({ directory, nested, replica, input, trash, obstacleOf }, under);
  }

  /** The beginning of a file or of an item of the trash. @throws when it can't be read, or is an override */
  content(path: string, item: string | undefined): Beginning {
    if (isOverride(path)) throw new Error('an override is never read');
    const source = item === undefined ? path : `${RESERVED_NAME}/trash/${item}`;
    return readBeginning(this.#options.sync.replica.path, source, MAX_CONTENT_BYTES);
  }

  /** Uploads files to Main. @throws the reason, as text for people */
  async give(files: readonly Given[]): Promise<void> {
    const { sync, mainManifest, place } = this.#options;
    const { name: directory, replica } = sync;
    const { owners } = place;
    const session = this.#options.session();
    if (session === undefined || !mainManifest.isReady)
      throw new Error(`the comparison with Main's ${directory} has not ended yet: try again in a moment`);
    await giveToMain(files, { directory, replica, mainManifest, owners, session });
  }

  /**
   * Moves local files to the trash, as one change set, and reloads Asterisk.
   * @returns the removed paths
   * @throws the reason when nothing could be removed, or when the remaining files would break the dialplan
   */
  async prune(paths: readonly string[]): Promise<PlannedAction[]> {
    const { sync, runner, activation, events } = this.#options;
    const { name: directory, applier } = sync;
    const { steps, session } = await this.#pruning(paths);
    if (steps.length === 0) return [];
    using staging = applier.begin(0);
    const { outcomes } = await staging.commit(steps, () => events.applied());
    sync.adopt(outcomes);
    const actions = outcomes.flatMap(({ step: { path, reason }, result }): PlannedAction[] =>
      result === 'done' ? [{ directory, action: 'remove', path, bytes: 0, reason }] : [],
    );
    runner.announce(session, staging.id, actions);
    await activation?.activate(new Set());
    return actions;
  }

  /**
   * What {@link prune} would remove now; nothing is changed.
   * @throws the reason for which it would refuse
   */
  async rehearsePrune(paths: readonly string[]): Promise<PlannedAction[]> {
    const { name: directory } = this.#options.sync;
    const { steps } = await this.#pruning(paths);
    return steps.map(({ path, reason }) => ({
      directory,
      action: 'remove',
      path,
      bytes: 0,
      reason,
    }));
  }

  /** @throws the reason, as text for people, when they may not be removed */
  async #pruning(
    paths: readonly string[],
  ): Promise<{ readonly steps: Step[]; readonly session: AgentSession }> {
    const { sync, reconciler, mainManifest } = this.#options;
    const session = this.#options.session();
    // Without Main's manifest, no file is known to be local.
    if (session === undefined || !mainManifest.isReady)
      throw new Error('not connected to Main: what is local here is not known now');
    const steps = stepsToPrune(paths, sync.replica, reconciler.planInput());
    await this.#refuseIfBroken(steps);
    return { steps, session };
  }

  /** A local file may hold what other files of this MDS need. */
  async #refuseIfBroken(steps: readonly Step[]): Promise<void> {
    const files = steps.filter(({ entry }) => entry.type !== 'folder');
    const goes = new Map(files.map(({ path }) => [path, undefined]));
    const rehearsed = await this.#options.activation?.rehearse(goes, new Set());
    const [first] = rehearsed?.objections ?? [];
    if (first === undefined) return;
    throw new Error(
      `nothing is removed, since what is left would break the dialplan: ${printable(first[0])}: ${first[1]}`,
    );
  }
}
