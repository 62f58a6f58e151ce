import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { DirectoryConfig } from '#host/config/directoryConfig.ts';
import { Owners } from '#host/fs/owners.ts';
import { createLogger } from '#host/log/logger.ts';
import { systemClock } from '#host/time/clock.ts';
import { Database } from '#sync/state/database.ts';
import { ArchiveParts } from '#sync/transfer/packing/archiveParts.ts';
import { MainDirectory, type FolderRename } from '../../../controller/directories/mainDirectory.ts';
import type { Revision } from '../../../controller/directories/publication.ts';
import { Versions } from '../../../controller/versions/versions.ts';
import { memoryFolder } from './memoryFolder.ts';

/** One directory of Main on a disk of its own, both ways unless the test says otherwise; scanned, and not watched. */
export class MainPlace {
  readonly db: Database;
  readonly directory: MainDirectory;
  readonly versions: Versions;
  readonly owners = new Owners();
  readonly revisions: Revision[] = [];
  readonly renamedFolders: FolderRename[] = [];
  /** Revisions before the newest of these. */
  revisionsWhenRenamed = 0;
  readonly #root: string;

  private constructor(t: TestContext, config: Partial<DirectoryConfig>) {
    const folder = memoryFolder();
    this.#root = path.join(folder, 'files');
    mkdirSync(this.#root);
    this.db = new Database(path.join(folder, 'state.sqlite'));
    const places = new Map([['files', this.#root]]);
    const compact = config.reload === 'dialplan' ? ['files'] : [];
    this.versions = new Versions({ db: this.db, compact, places, budget: () => 1024 ** 2, reserve: 0 });
    this.directory = new MainDirectory({
      config: {
        name: 'files',
        path: this.#root,
        direction: 'both',
        deletions: 'both',
        reload: 'none',
        reloadAlways: false,
        lint: 'off',
        exclude: [],
        settleMs: 0,
        ...config,
      },
      place: {
        path: this.#root,
        nested: new Set(['nested']),
        db: this.db,
        owners: this.owners,
        clock: systemClock,
        reserve: 0,
        largeFrom: LARGE_FROM,
        log: createLogger('error', ({ json }) => process.stderr.write(json)),
      },
      versions: this.versions,
      archiveParts: new ArchiveParts(systemClock),
      root: '',
      onRevision: (revision) => this.revisions.push(revision),
      onFolderRenamed: (renamed) => {
        this.renamedFolders.push(renamed);
        this.revisionsWhenRenamed = this.revisions.length;
      },
      onFinding: () => undefined,
    });
    t.after(async () => {
      await this.directory.close();
      this.db.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** @param files their content by path, before the first scan */
  static async make(
    t: TestContext,
    config: Partial<DirectoryConfig> = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<MainPlace> {
    const place = new MainPlace(t, config);
    for (const [name, content] of Object.entries(files)) place.write(name, content);
    await place.directory.readAgain();
    place.directory.scanned();
    return place;
  }

  at(name: string): string {
    return path.join(this.#root, name);
  }

  /** Writes a file, and the folders above it; a scan finds it. */
  write(name: string, content: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), content);
  }

  /** What Main's trash holds: the path it had, and why it is there. */
  async trash(): Promise<[path: string, reason: string][]> {
    return (await this.directory.trash()).items.map(({ path: name, reason }) => [name, reason]);
  }
}

/** A file of so many bytes is large here: its transfer is gone on with. */
export const LARGE_FROM = 100_000;
