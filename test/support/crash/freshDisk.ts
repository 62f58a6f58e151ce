import { DatabaseSync } from 'node:sqlite';
import {
  type BigIntStats,
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  closeSync,
  symlinkSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { ChangeSet } from '#core/changeSet.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { setMtime } from '#host/fs/libc.ts';
import type { Disk, Id, Inode } from './disk.ts';
import type { AfterCut } from './powerCut.ts';
import type { Recording } from './recording.ts';

/** What inode numbers and stamps of a recording are called on a recreated disk. */
export type Translation = {
  readonly inodes: ReadonlyMap<string, string>;
  readonly stamps: ReadonlyMap<string, string>;
};

/** Makes real folders that hold what the model's disk holds. @param at where each root goes, by its recorded path */
export function makeReal(
  recording: Recording,
  after: AfterCut,
  at: ReadonlyMap<string, string>,
): Translation {
  const made = new Map<Id, string>();
  const lists: string[] = [];
  for (const [root, id] of recording.roots) {
    const target = at.get(root);
    if (target === undefined) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    make(after.disk, id, target, made, lists);
  }
  const translation = translate(recording, after, made);
  for (const list of lists) translateFile(list, translation);
  return translation;
}

function make(disk: Disk, id: Id, target: string, made: Map<Id, string>, lists: string[]): void {
  const inode = disk.get(id);
  if (inode === undefined) return;
  const known = made.get(id);
  if (known !== undefined) {
    if (inode.type !== 'folder') linkSync(known, target);
    return;
  }
  made.set(id, target);
  if (inode.type === 'link') symlinkSync(inode.target, target);
  else if (inode.type === 'file') writeFileSync(target, inode.content);
  else {
    mkdirSync(target);
    for (const [name, inner] of inode.names) make(disk, inner, path.join(target, name), made, lists);
  }
  dress(inode, target);
  if (path.basename(target) === 'list.json') lists.push(target);
}

function dress(inode: Inode, target: string): void {
  lchownSync(target, inode.uid, inode.gid);
  if (inode.type === 'link') return lutimesSync(target, 1, 1);
  chmodSync(target, inode.mode);
  if (inode.type !== 'file') return;
  const fd = openSync(target, 'r');
  setMtime(fd, inode.mtime);
  closeSync(fd);
}

function translate(recording: Recording, { touches }: AfterCut, made: ReadonlyMap<Id, string>): Translation {
  const inodes = new Map<string, string>();
  const stamps = new Map<string, string>();
  for (const [id, target] of made) {
    const stat = lstatSync(target, { bigint: true });
    inodes.set(recording.realInode.get(id) ?? '', String(stat.ino));
    const count = touches.get(id) ?? 0;
    for (const { touches: then, stamp } of recording.stamps.get(id) ?? [])
      if (then === count && stamp !== '') stamps.set(stamp, stampOf(stat));
  }
  return { inodes, stamps };
}

/** The trash's lists name inodes, too. Bytes that are not what was written stay as they are. */
function translateFile(file: string, { inodes }: Translation): void {
  const stat: BigIntStats = lstatSync(file, { bigint: true });
  const fd = openSync(file, 'r+');
  try {
    const text = readFileSync(fd, 'utf8');
    const translated = text.replaceAll(
      /"inode":"(\d+)"/g,
      (_, inode: string) => `"inode":"${inodes.get(inode) ?? '0'}"`,
    );
    if (translated === text) return;
    writeFileSync(file, translated);
    setMtime(fd, stat.mtimeNs);
  } finally {
    closeSync(fd);
  }
}

/** Writes a database that speaks of the new disk. */
export function makeDatabase(
  image: Uint8Array | undefined,
  file: string,
  { inodes, stamps }: Translation,
  root: { readonly directory: string; readonly path: string },
): void {
  mkdirSync(path.dirname(file), { recursive: true });
  if (image === undefined) return;
  writeFileSync(file, image);
  const db = new DatabaseSync(file);
  db.exec('PRAGMA synchronous = OFF; BEGIN');
  for (const row of db.prepare('SELECT id, change_set FROM journal').all()) {
    const { id, change_set: text } = row as { id: string; change_set: string };
    const changeSet = JSON.parse(text) as ChangeSet;
    const steps = changeSet.steps.map((step) => ({
      ...step,
      ...('expect' in step &&
        step.expect !== undefined && { expect: stamps.get(step.expect) ?? step.expect }),
      ...('staged' in step && {
        staged: { ...step.staged, inode: inodes.get(step.staged.inode) ?? '0' },
      }),
    }));
    db.prepare('UPDATE journal SET change_set = ? WHERE id = ?').run(
      JSON.stringify({ ...changeSet, steps }),
      id,
    );
  }
  for (const { stamp } of db.prepare('SELECT DISTINCT stamp FROM content').all() as { stamp: string }[]) {
    const now = stamps.get(stamp);
    if (now !== undefined) db.prepare('UPDATE content SET stamp = ? WHERE stamp = ?').run(now, stamp);
  }
  const stat = lstatSync(root.path, { bigint: true });
  db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(
    `root:${root.directory}`,
    `${stat.dev}:${stat.ino}`,
  );
  db.exec('COMMIT');
  db.close();
}
