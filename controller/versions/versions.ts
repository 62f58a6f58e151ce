import type { Entry } from '#core/manifest/entry.ts';
import type { Database } from '#sync/state/database.ts';
import { ContentStore } from './contentStore.ts';
import { FileStore, type FileStoreOptions } from './fileStore.ts';
import { RevisionLog } from './revisionLog.ts';
import { AppliedRevisions } from './appliedRevisions.ts';

/** A larger file is no dialplan that somebody wrote. */
export const MAX_KEPT_FILE = 4 * 1024 * 1024;
/** What all older versions may take up, bytes (compressed). */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_REVISIONS = 200_000;
/** When there are too many, this share of the oldest goes. */
const SHARE = 1 / 8;

/** The older versions of Main's files: what changed when, the contents, and which change set on an MDS took it over. */
export class Versions {
  readonly log: RevisionLog;
  readonly contents: ContentStore;
  readonly appliedRevisions: AppliedRevisions;
  /** Contents of files that are not dialplan. */
  readonly files: FileStore;
  readonly #db: Database;
  readonly #compact: ReadonlySet<string>;

  /** @param options.compact the names of directories whose files are kept in the state: dialplan, small and many */
  constructor(options: FileStoreOptions & { readonly compact: readonly string[] }) {
    const { db, compact } = options;
    this.#db = db;
    this.#compact = new Set(compact);
    this.log = new RevisionLog(db);
    this.contents = new ContentStore(db, compact);
    this.files = new FileStore(options);
    this.appliedRevisions = new AppliedRevisions(db, this.log);
  }

  /** Forgets what is older than it has to be kept, and the oldest beyond what there is room for. @param before milliseconds since 1970 */
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

  /** Whether the files of a directory are kept in the state itself. */
  isCompact(directory: string): boolean {
    return this.#compact.has(directory);
  }

  /** Whether a content is kept. */
  has(hash: string): boolean {
    return this.contents.has(hash) || this.files.has(hash);
  }

  /** True when what an entry held can be put there again. */
  hasContentOf(entry: Entry | null): boolean {
    return entry?.type !== 'file' || this.has(entry.hash);
  }

  /** Whether one more content may be kept; makes room by forgetting the oldest. */
  makeRoom(): boolean {
    if (this.contents.bytes > MAX_BYTES) this.purge(0);
    return this.contents.bytes <= MAX_BYTES;
  }
}
