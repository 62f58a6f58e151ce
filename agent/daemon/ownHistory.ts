import { countOf } from '#core/text/countOf.ts';
import type { Done } from '../directory/directoryEvents.ts';
import type { PlannedAction } from '#protocol/messages/common.ts';
import type { Clock } from '#host/time/clock.ts';
import type { Database } from '#sync/state/database.ts';
import type { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { History, type HistoryFilter, type NumberedRow } from '#sync/state/history.ts';

/** Paths of one change set that are recorded individually; the rest is only counted. Main's history has all of them. */
const MAX_ROWS = 1_000;

/** The history of this MDS, available also while Main is unreachable. */
export class OwnHistory {
  readonly #history: History;
  readonly #keeper: DeferredWriter;
  readonly #clock: Clock;
  readonly #name: string;

  constructor(options: { db: Database; keeper: DeferredWriter; clock: Clock; name: string }) {
    this.#history = new History(options.db);
    this.#keeper = options.keeper;
    this.#clock = options.clock;
    this.#name = options.name;
  }

  /** A change set was carried out. */
  done(
    directory: string,
    changeSet: string,
    actions: readonly PlannedAction[],
    { saves, durationMs }: Done,
  ): void {
    const took = durationMs !== undefined && { durationMs: Math.round(durationMs) };
    const common = { at: this.#clock.now(), mds: this.#name, directory, changeSet, ...took };
    this.#keeper.write(() => {
      for (const { action, path, reason, bytes } of actions.slice(0, MAX_ROWS)) {
        // What Main calls received was sent from here.
        const kind = action === 'receive' ? 'send to Main' : action;
        // Drift was caused by a user of this MDS.
        const actor = action === 'restore' || action === 'receive' ? this.#name : 'main';
        // What is undone here follows no save, as in Main's history.
        const save = action === 'restore' ? null : saves.saveOf(path);
        const detail = `${path}: ${reason}`;
        this.#history.add({ ...common, kind, detail, path, reason, bytes, actor, save });
      }
      const more = actions.length - MAX_ROWS;
      if (more > 0)
        this.#history.add({
          ...common,
          kind: 'more',
          detail: `and ${countOf(more, 'file')} more`,
          actor: 'main',
        });
    });
  }

  /** Records a command. @param by such as `command by alice` for a person on this host, or `main` */
  asked(
    by: string,
    what: { directory: string; changeSet: string; kind: string; path?: string; reason: string },
  ): void {
    const row = {
      ...what,
      at: this.#clock.now(),
      mds: this.#name,
      actor: by,
      detail: what.path === undefined ? what.reason : `${what.path}: ${what.reason}`,
    };
    this.#keeper.write(() => this.#history.add(row));
  }

  /** Newest first. */
  find(filter: HistoryFilter): NumberedRow[] {
    return this.#history.find(filter);
  }
}
