import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Applier } from '#sync/apply/applier.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { Staging } from '#sync/apply/staging.ts';
import type { Outcome, Staged, Step } from '#core/changeSet.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import type { Entry, FileEntry, FolderEntry } from '#core/manifest/entry.ts';
import type { StagingThread } from '#sync/apply/thread/stagingThread.ts';
import { Database } from '#sync/state/database.ts';
import { Journal } from '#sync/state/changeSetJournal.ts';
import { systemClock } from '#host/time/clock.ts';
import { atOnce } from '#core/steps.ts';
import { listTrash } from '#sync/trash/trash.ts';
import { memoryFolder } from './memoryFolder.ts';

const OWNERS = { owner: 'root', group: 'root', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A synchronised directory with an applier, for one test. */
export class ApplyPlace {
  readonly root: string;
  readonly db: Database;
  readonly journal: Journal;
  applier: Applier;
  readonly #appliers: Applier[] = [];

  constructor(t: TestContext) {
    const folder = memoryFolder();
    this.root = path.join(folder, 'files');
    mkdirSync(this.root);
    this.db = new Database(path.join(folder, 'state.sqlite'));
    this.journal = new Journal(this.db);
    this.applier = this.again();
    t.after(async () => {
      await Promise.all(this.#appliers.map((applier) => applier.close()));
      this.db.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** An applier that knows nothing of an earlier one, as after a start. */
  again(reserve = 0, thread?: StagingThread): Applier {
    const applier = new Applier({
      directory: 'files',
      path: this.root,
      journal: this.journal,
      clock: systemClock,
      reserve,
      ...(thread !== undefined && { receiving: { thread } }),
    });
    this.#appliers.push(applier);
    return applier;
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  read(name: string): string | undefined {
    const stat = lstatSync(this.at(name), { throwIfNoEntry: false });
    return stat?.isFile() === true ? readFileSync(this.at(name), 'utf8') : undefined;
  }

  stamp(name: string): string {
    const stat = lstatSync(this.at(name), { bigint: true });
    return stat.isDirectory() ? '' : stampOf(stat);
  }

  /** What lies in the trash: the path it had, and its content. */
  trash(): [path: string, content: string][] {
    return atOnce(listTrash('files', this.root))
      .items.map(({ id, path: name, type }): [string, string] => [
        name,
        type === 'file' ? readFileSync(this.at(`.xivo-xds-sync/trash/${id}`), 'utf8') : type,
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Carries out one change set. */
  async apply(
    steps: (staging: Staging) => Step[],
    record: OnCommit = () => undefined,
  ): Promise<readonly Outcome[]> {
    using staging = this.applier.begin(0);
    const { outcomes } = await staging.commit(steps(staging), record);
    return outcomes;
  }
}

export function fileEntry(content: string | Uint8Array, mode = 0o644): FileEntry {
  const hash = createHash('sha256').update(content).digest('hex');
  return {
    type: 'file',
    size: Buffer.byteLength(content),
    hash,
    mtime: '1700000000123456789',
    mode,
    ...OWNERS,
  };
}

export function folderEntry(mode = 0o755): FolderEntry {
  return { type: 'folder', mode, ...OWNERS };
}

export function linkEntry(target: string): Entry & { type: 'link' } {
  return { type: 'link', target, ...OWNERS };
}

export function stage(staging: Staging, content: string): Staged {
  const file = staging.file();
  file.write(Buffer.from(content));
  const staged = file.finish(fileEntry(content));
  if (staged === undefined) throw new Error('it was not what it was');
  return staged;
}

/** A step that puts a file where nothing is (no stamp), or where what has the stamp is. */
export function putFile(staging: Staging, name: string, content: string, expect?: string): Step {
  return {
    kind: 'put',
    path: name,
    entry: fileEntry(content),
    expect,
    staged: stage(staging, content),
    reason: 'new',
  };
}
