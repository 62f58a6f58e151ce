import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import type { ChangeSet, Step } from '#core/changeSet.ts';
import type { Folder } from '#host/fs/folder.ts';

const item = z.object({
  path: z.string(),
  reason: z.string(),
  /** The staged object that replaces it. As long as another object has that name in the staging area, that one is this item. */
  staged: z.object({ name: z.string(), inode: z.string() }).optional(),
});
const schema = z.object({
  changeSet: z.string(),
  directory: z.string(),
  at: z.number(),
  /** On Main: the MDS that caused it, if one did. */
  mds: z.string().optional(),
  items: z.record(z.string(), item),
});

/** The list of items in one change set's trash folder, so that the trash is readable without the state. */
export type TrashList = z.infer<typeof schema>;

const FILE_NAME = 'list.json';

/** Steps that can displace something. */
function displaces(step: Step): boolean {
  return step.kind === 'remove' || step.kind === 'keep' || (step.kind === 'put' && step.expect !== undefined);
}

export const TrashList = {
  fileName: FILE_NAME,

  /** Whether a change set displaces anything and needs a trash folder. */
  isNeeded: (steps: readonly Step[]): boolean => steps.some(displaces),

  /** Writes the list. It is durable before anything is displaced, so that every item in the trash has its original path. */
  write(folder: Folder, changeSet: ChangeSet, now: number): void {
    const items: TrashList['items'] = {};
    changeSet.steps.forEach((step, number) => {
      if (!displaces(step)) return;
      const { path, reason } = step;
      items[String(number)] = { path, reason, ...('staged' in step && { staged: step.staged }) };
    });
    const { id, directory, mds } = changeSet;
    const list: TrashList = { changeSet: id, directory, at: now, ...(mds !== undefined && { mds }), items };
    const fd = folder.createFile(FILE_NAME);
    try {
      writeFileSync(fd, JSON.stringify(list));
    } finally {
      closeSync(fd);
    }
  },

  /** @returns undefined when the list is missing, unreadable or invalid */
  read(folder: Folder): TrashList | undefined {
    let fd: number | undefined;
    try {
      fd = folder.openFile(FILE_NAME);
      return schema.safeParse(JSON.parse(readFileSync(fd, 'utf8'))).data;
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  },
};
