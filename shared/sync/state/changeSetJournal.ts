import * as z from 'zod';
import type { ChangeSet } from '#core/changeSet.ts';
import type { Entry, FileEntry } from '#core/manifest/entry.ts';
import { isEntry } from '#core/manifest/meaning.ts';
import type { Database } from './database.ts';

const staged = z.object({ name: z.string(), inode: z.string() });
const ofPath = { path: z.string(), entry: z.custom<Entry>(isEntry), reason: z.string() };
const changeSetSchema: z.ZodType<ChangeSet> = z.object({
  id: z.string(),
  directory: z.string(),
  mds: z.string().exactOptional(),
  steps: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('put'),
        ...ofPath,
        // JSON has no undefined: for a path that must not exist, the key is missing.
        expect: z
          .string()
          .optional()
          .transform((expect) => expect),
        staged,
      }),
      z.object({ kind: z.literal('metadata'), ...ofPath, expect: z.string() }),
      z.object({ kind: z.literal('remove'), ...ofPath, expect: z.string() }),
      z.object({
        kind: z.literal('move'),
        ...ofPath,
        from: z.string(),
        entry: z.custom<FileEntry>((value) => isEntry(value) && value.type === 'file'),
        expect: z.string(),
      }),
      z.object({ kind: z.literal('keep'), ...ofPath, staged }),
    ]),
  ),
});

/** The journal of change sets that are being made visible. One that is still in it at a start was interrupted. */
export class Journal {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  begin(changeSet: ChangeSet): void {
    this.#db
      .prepare('INSERT INTO journal VALUES (?, ?, ?)')
      .run(changeSet.id, changeSet.directory, JSON.stringify(changeSet));
  }

  /** Ends a change set and runs `record`, in one transaction. */
  end(id: string, record: () => void): void {
    this.#db.transaction(() => {
      record();
      this.#db.prepare('DELETE FROM journal WHERE id = ?').run(id);
    });
  }

  /** @throws DamagedState when a stored row is not a change set, since its progress is then unknown */
  open(directory: string): ChangeSet[] {
    const rows = this.#db
      .prepare('SELECT change_set FROM journal WHERE directory = ? ORDER BY id')
      .all(directory);
    return rows.map((row) => {
      const read = changeSetSchema.safeParse(this.#db.readJson(row['change_set']));
      if (!read.success) throw this.#db.damagedBy('a change set in its journal is invalid');
      return read.data;
    });
  }
}
