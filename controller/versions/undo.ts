import { type Entry, sameContent, sameEntry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { isBelow } from '#core/path/relative.ts';
import { pathsBelow, type Tree } from '#core/plan/tree.ts';
import type { PathRevision } from './revisionLog.ts';

/** What has to be done to restore one path. */
export type UndoStep = {
  readonly kind: 'put' | 'metadata' | 'remove';
  readonly path: string;
  /** The entry to restore; for `remove`, the entry to remove. */
  readonly entry: Entry;
};

export type Undo = {
  readonly steps: readonly UndoStep[];
  /** Paths whose current state is unknown, with the reason; nothing may be done then. */
  readonly unclear: readonly { readonly path: string; readonly why: string }[];
};

/**
 * The steps that restore a directory to its state before some revisions. Pure.
 * @param revisions all revisions since then, oldest first
 * @param now the current directory
 */
export function undo(revisions: readonly PathRevision[], now: Tree): Undo {
  const then = new Map<string, Entry | null>();
  for (const { path, before } of revisions) if (!then.has(path)) then.set(path, before);
  const steps = new Map<string, UndoStep>();
  const unclear: { path: string; why: string }[] = [];
  for (const [path, entry] of then) {
    const state = now.get(path);
    if (state?.kind === 'moving') unclear.push({ path, why: 'it is being written' });
    else if (state?.kind === 'unreadable') unclear.push({ path, why: `it can't be read (${state.errno})` });
    else {
      const step = stepFor(path, entry, entryOf(state));
      if (step) steps.set(path, step);
    }
  }
  for (const step of [...steps.values()]) {
    if (step.kind === 'put' && step.entry.type !== 'folder') takeFolderAway(step.path);
  }
  // Deepest first: a folder is removed when all of its content is removed.
  for (const { kind, path, entry } of [...steps.values()].sort((a, b) => b.path.length - a.path.length)) {
    if (kind === 'remove' && entry.type === 'folder' && !becomesEmpty(path)) steps.delete(path);
  }
  return { steps: [...steps.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), unclear };

  /** A folder that is replaced by a file is displaced with its content. */
  function takeFolderAway(path: string): void {
    if (now.holdsOverride(path))
      unclear.push({ path, why: 'there is a folder with an override in its place' });
    for (const other of [...steps.keys()]) if (isBelow(other, path)) steps.delete(other);
  }

  function becomesEmpty(folder: string): boolean {
    if (now.holdsOverride(folder)) return false;
    return [...pathsBelow(now, folder)].every((child) => steps.get(child)?.kind === 'remove');
  }
}

function stepFor(path: string, then: Entry | null, now: Entry | undefined): UndoStep | undefined {
  if (then === null) return now && { kind: 'remove', path, entry: now };
  if (now === undefined || !sameContent(then, now)) return { kind: 'put', path, entry: then };
  return sameEntry(then, now) ? undefined : { kind: 'metadata', path, entry: then };
}
