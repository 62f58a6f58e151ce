import type { TestContext } from 'node:test';
import { Owners } from '#host/fs/owners.ts';
import { systemClock } from '#host/time/clock.ts';
import { Replica } from '#sync/scan/replica.ts';
import { ScanIndexTable } from '#sync/state/scanIndex.ts';
import type { FolderWatches } from '#sync/watch/folderWatches.ts';
import { ApplyPlace } from './applyPlace.ts';

/** A directory with a replica of it and the watches of its folders, for one test. */
export class WatchedPlace extends ApplyPlace {
  readonly replica: Replica;
  #onChange: () => void = () => undefined;

  constructor(t: TestContext, nested: readonly string[] = []) {
    super(t);
    this.replica = new Replica({
      rules: { name: 'files', settle: 0, emptyIsHeld: false, whole: false },
      path: this.root,
      nested: new Set(nested),
      isExcluded: (path) => path.endsWith('.excluded'),
      index: new ScanIndexTable(this.db, 'files'),
      owners: new Owners(),
      clock: systemClock,
      events: {
        onChanges: () => this.#onChange(),
        onHeld: () => this.#onChange(),
        onError: () => undefined,
      },
    });
    t.after(async () => {
      this.watches.close();
      await this.replica.close();
    });
  }

  get watches(): FolderWatches {
    return this.replica.watches;
  }

  /** Resolves once the replica knows exactly the paths, in any order, that this says. */
  async untilKnown(...paths: string[]): Promise<void> {
    const wanted = paths.toSorted().join(' ');
    while (this.#settled() !== wanted)
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
  }

  #settled(): string {
    const { replica } = this;
    return [...replica.paths()]
      .filter((path) => replica.get(path)?.kind !== 'moving')
      .toSorted()
      .join(' ');
  }
}
