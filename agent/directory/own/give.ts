import type { Offer } from '#protocol/messages/common.ts';
import type { FolderEntry } from '#protocol/entry.ts';
import { codeOf } from '#host/fs/errno.ts';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { Owners } from '#host/fs/owners.ts';
import { bytesOf, type Entry } from '#core/manifest/entry.ts';
import { entryOf } from '#core/manifest/pathState.ts';
import { type Stamp, stampOf } from '#core/manifest/stamp.ts';
import { RESERVED_NAME } from '#core/path/names.ts';
import { baseOf, isOverride, parentOf } from '#core/path/relative.ts';
import { ownershipOf, inspect } from '#sync/scan/inspect.ts';
import { hashFile } from '#sync/scan/content/hashFile.ts';
import type { Replica } from '#sync/scan/replica.ts';
import { packArchive } from '#sync/transfer/packing/packArchive.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { MainManifest } from '../manifest/mainManifest.ts';
import { fstatSync } from 'node:fs';

/** A file that a person on Main requested: the present one, or an item of the trash under this path. */
export type Given = { readonly path: string; readonly item?: string | undefined };

export type Giving = {
  readonly directory: string;
  readonly replica: Replica;
  readonly mainManifest: MainManifest;
  readonly owners: Owners;
  readonly session: AgentSession;
};

type Prepared = { readonly offer: Offer & { op: 'put' }; readonly source: string; readonly stamp: Stamp };

/**
 * Uploads files that a person on Main requested, as one change set. Main accepts exactly what it requested.
 * @throws the reason, as text for people; then Main has none of it, or has named what it refused
 */
export async function giveToMain(files: readonly Given[], giving: Giving): Promise<void> {
  const { directory, replica, session } = giving;
  const prepared: Prepared[] = [];
  for (const file of files) prepared.push(await prepare(file, giving));
  const folders = missingFolders(prepared, giving);
  const bytes = prepared.reduce((sum, { offer }) => sum + bytesOf(offer.entry), 0);
  const offers = [...folders, ...prepared.map(({ offer }) => offer)];
  const { out, results } = session.offer(directory, offers, bytes);
  // Main may answer early if it accepts nothing.
  const answered = results.then(
    (all) => all,
    (error: Error) => error,
  );
  const packed = prepared.flatMap(({ offer: { entry }, source, stamp }) =>
    entry.type === 'file' ? [{ path: source, size: entry.size, stamp }] : [],
  );
  if (packed.length > 0) {
    await packArchive(replica.path, packed, out).catch((error: unknown) => {
      out.abort(String(error));
      throw error;
    });
  } else await out.end();
  const answer = await answered;
  if (answer instanceof Error) throw answer;
  const refused = answer.filter(({ result }) => result !== 'done');
  const [first] = refused;
  if (first === undefined) return;
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
  throw new Error(`${first.path}: ${first.detail ?? 'it changed in this moment: try again'}${more}`);
}

/** @throws when it does not exist, can't be synchronised, or is changing */
async function prepare(
  { path, item }: Given,
  { directory, replica, mainManifest, owners }: Giving,
): Promise<Prepared> {
  if (isOverride(path)) throw new Error(`${path}: overrides are never synchronised`);
  const source = item === undefined ? path : `${RESERVED_NAME}/trash/${item}`;
  const nothing = new Error(
    item === undefined
      ? `there is no ${directory}/${path} on this MDS`
      : `${item} is not in the trash any more`,
  );
  using open = new OpenFolders(replica.path);
  let entry: Entry;
  let stamp: Stamp;
  try {
    const folder = open.get(parentOf(source));
    const name = baseOf(source);
    const stat = folder.stat(name);
    if (stat === undefined) throw nothing;
    stamp = stampOf(stat);
    const seen = inspect(folder, name, path, stat, owners);
    if (seen.kind === 'special') throw new Error(`${path} is ${seen.what}, which can't be synchronised`);
    if (seen.kind === 'file') {
      const hash = await hashFile(folder, name, stamp, { signal: replica.signal });
      if (hash === undefined) throw new Error(`${path} is being written: try again in a moment`);
      entry = { ...seen.entry, hash };
    } else ({ entry } = seen);
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? nothing : error;
  }
  const expect = entryOf(mainManifest.get(path)) ?? null;
  const offer = {
    op: 'put' as const,
    path,
    entry,
    expect,
    conflict: false,
    reason: 'a person on Main asked for it',
  };
  return { offer, source, stamp };
}

/**
 * The folders that Main lacks, with the metadata that they have here or, if they no longer exist here, with that of the
 * parent folder.
 */
function missingFolders(
  prepared: readonly Prepared[],
  { replica, mainManifest, owners }: Giving,
): (Offer & { op: 'put' })[] {
  const folders = new Map<string, FolderEntry>();
  const asked = new Set(prepared.map(({ offer }) => offer.path));
  for (const { offer } of prepared) {
    const missing: string[] = [];
    for (let at = parentOf(offer.path); at !== '' && mainManifest.get(at) === undefined; at = parentOf(at))
      missing.push(at);
    for (const path of missing.toReversed()) {
      if (folders.has(path) || asked.has(path)) continue;
      const here = entryOf(replica.get(path));
      folders.set(path, here?.type === 'folder' ? here : likeParent(path, folders, replica, owners));
    }
  }
  return [...folders].map(([path, entry]) => ({
    op: 'put',
    path,
    entry,
    expect: null,
    conflict: false,
    reason: 'holds what a person on Main requested',
  }));
}

function likeParent(
  path: string,
  made: ReadonlyMap<string, FolderEntry>,
  replica: Replica,
  owners: Owners,
): FolderEntry {
  const parent = parentOf(path);
  const known = made.get(parent) ?? entryOf(replica.get(parent));
  if (known?.type === 'folder') return known;
  using open = new OpenFolders(replica.path);
  const stat = fstatSync(open.root.fd, { bigint: true });
  return { type: 'folder', mode: Number(stat.mode & 0o7777n), ...ownershipOf(stat, owners) };
}
