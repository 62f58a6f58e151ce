import { MAX_CONTENT_BYTES } from '#protocol/limits.ts';
import type { Difference } from '#protocol/messages/answers.ts';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Owners } from '#host/fs/owners.ts';
import { type Beginning, readBeginning } from '#host/fs/readBeginning.ts';
import { RESERVED_NAME } from '#core/path/names.ts';
import { isOverride } from '#core/path/relative.ts';
import type { PlanInput } from '#core/plan/planInput.ts';
import type { Applier } from '#sync/apply/applier.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { listTrash } from '#sync/trash/trash.ts';
import type { Activation } from '../../asterisk/activation/activation.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { JobRunner } from '../jobs/jobRunner.ts';
import type { MainManifest } from '../mainManifest.ts';
import { differencesOf } from './differences.ts';
import { type Given, giveToMain } from './give.ts';
import { stepsToPrune } from './prune.ts';

export type OwnVersionsOptions = {
  readonly directory: string;
  readonly nested: ReadonlySet<string>;
  readonly replica: Replica;
  readonly mainView: MainManifest;
  readonly owners: Owners;
  readonly applier: Applier;
  readonly runner: JobRunner;
  readonly activation: Activation | undefined;
  /** What the planner knows now. */
  readonly planInput: () => PlanInput;
  readonly obstacleOf: (path: string) => { readonly reason: string } | undefined;
  readonly session: () => AgentSession | undefined;
  /** A change set became visible: called inside its transaction. */
  readonly onApplied: () => void;
};

/** What this MDS has in one directory otherwise than Main, and what a person does about it. */
export class OwnVersions {
  readonly #options: OwnVersionsOptions;

  constructor(options: OwnVersionsOptions) {
    this.#options = options;
  }

  /** @param under only this path and what is below it @throws Node's fs errors when the directory can't be opened */
  differences(under?: string): Promise<Difference[]> {
    const { directory, nested, replica, planInput, obstacleOf } = this.#options;
    const trash = listTrash(directory, replica.path).items;
    return differencesOf({ directory, nested, replica, input: planInput(), trash, obstacleOf }, under);
  }

  /** What a file, or an item of the trash, begins with. @throws when it can't be read, or is an override */
  content(path: string, item: string | undefined): Beginning {
    if (isOverride(path)) throw new Error('an override is never read');
    const source = item === undefined ? path : `${RESERVED_NAME}/trash/${item}`;
    return readBeginning(this.#options.replica.path, source, MAX_CONTENT_BYTES);
  }

  /** Puts files on Main. @throws why that can't be done, for people */
  async give(files: readonly Given[]): Promise<void> {
    const { directory, replica, mainView, owners } = this.#options;
    const session = this.#options.session();
    if (session === undefined || !mainView.isReady)
      throw new Error(`the comparison with Main's ${directory} has not ended yet: try again in a moment`);
    await giveToMain(files, { directory, replica, mainView, owners, session });
  }

  /**
   * Removes local files into the trash, as one change set, and lets Asterisk read what is left.
   * @returns what was removed; @throws what kept all of it from being removed
   */
  async prune(paths: readonly string[]): Promise<PlannedAction[]> {
    const { directory, replica, applier, runner, activation, planInput, onApplied, mainView } = this.#options;
    const session = this.#options.session();
    // Without Main's word nothing is known to be local.
    if (session === undefined || !mainView.isReady)
      throw new Error('not connected to Main: what is local here is not known now');
    const steps = stepsToPrune(paths, replica, planInput());
    if (steps.length === 0) return [];
    using staging = applier.begin(0);
    const { outcomes } = await staging.commit(steps, onApplied);
    runner.adopt(outcomes);
    const actions = outcomes.flatMap(({ step: { path, reason }, result }): PlannedAction[] =>
      result === 'done' ? [{ directory, action: 'remove', path, bytes: 0, reason }] : [],
    );
    runner.announce(session, staging.id, actions);
    await activation?.activate(new Set());
    return actions;
  }
}
