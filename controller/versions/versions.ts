import type { Entry } from '#core/manifest/entry.ts';
import type { Database } from '#sync/state/database.ts';
import { ContentStore } from './contentStore.ts';
import { FileStore, type FileStoreOptions } from './fileStore.ts';
import { RevisionLog } from './revisionLog.ts';
import { AppliedRevisions } from './appliedRevisions.ts';

/** Largest dialplan file that is stored, bytes. */
export const MAX_KEPT_FILE = 4 * 1024 * 1024;
/** Budget for all older versions, bytes (compressed). */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_REVISIONS = 200_000;
/** Share of the oldest revisions that is dropped when there are too many. */
const SHARE = 1 / 8;

/** The older versions of Main's files: the log of changes, the contents, and the change sets on MDS that applied them. */
export class Versions {
  readonly log: RevisionLog;
  readonly contents: ContentStore;
  readonly appliedRevisions: AppliedRevisions;
  /** Contents of files other than dialplan. */
  readonly files: FileStore;
  readonly #db: Database;
  readonly #compact: ReadonlySet<string>;

  /** @param options.compact names of directories whose files are stored in the state: dialplan, many small files */
  constructor(options: FileStoreOptions & { readonly compact: readonly string[] }) {
    const { db, compact } = options;
    this.#db = db;
    this.#compact = new Set(compact);
    this.log = new RevisionLog(db);
    this.contents = new ContentStore(db, compact);
    this.files = new FileStore(options);
    this.appliedRevisions = new AppliedRevisions(db, this.log);
  }

  /** Drops revisions that are too old, and the oldest beyond the budget. @param before milliseconds since 1970 */
  purge(before: number): void {
    this.#db.transaction(() => {
      if (this.log.dropBefore(before) > 0) this.contents.dropUnused();
      while (this.log.count > 0 && (this.log.count > MAX_REVISIONS || this.contents.bytes > MAX_BYTES)) {
        this.log.dropOldest(Math.ceil(this.log.count * SHARE));
        this.contents.dropUnused();
      }
      this.files.dropUnused();
      this.appliedRevisions.dropBefore(this.log.oldest?.number ?? Number.MAX_SAFE_INTEGER);
    });
  }

  /** Whether the files of a directory are stored in the state itself. */
  isCompact(directory: string): boolean {
    return this.#compact.has(directory);
  }

  /** Whether a content is stored. */
  has(hash: string): boolean {
    return this.contents.has(hash) || this.files.has(hash);
  }

  /** True when an entry can be restored. */
  hasContentOf(entry: Entry | null): boolean {
    return entry?.type !== 'file' || this.has(entry.hash);
  }

  /** Whether another content may be stored; makes room by dropping the oldest. */
  makeRoom(): boolean {
    if (this.contents.bytes > MAX_BYTES) this.purge(0);
    return this.contents.bytes <= MAX_BYTES;
  }
}
