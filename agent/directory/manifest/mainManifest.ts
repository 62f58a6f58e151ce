import type { FolderEntry } from '#protocol/entry.ts';
import type { ManifestItem, ManifestEntry, SavesOfItems } from '#protocol/messages/common.ts';
import { MAX_MANIFEST_CHARACTERS, MAX_MANIFEST_ENTRIES } from '#protocol/limits.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { localise } from '#core/manifest/localise.ts';
import { Manifest } from '#core/manifest/manifest.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { ChangedPaths } from '#core/plan/changedPaths.ts';
import { isNested } from '#core/path/nesting.ts';
import { baseOf, isOverride, joinPath, parentOf, refusePath } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import { bucketsFor } from '#core/manifest/buckets.ts';
import { staysInside } from '#sync/scan/inspect.ts';
import { ArrivingDifference } from './arrivingDifference.ts';
import { MainOwners } from './mainOwners.ts';
import { SavesOfPaths } from './savesOfPaths.ts';

/** This agent's copy of Main's manifest of one directory. */
export class MainManifest implements Tree {
  held: string | undefined;
  /** The revision of Main's manifest that it equals, or undefined before the first whole manifest. */
  revision: number | undefined;
  /** The entry of the directory itself on Main. */
  root: FolderEntry | undefined;
  /** The paths that Main has changed since everything was planned. */
  readonly unplanned = new ChangedPaths();
  readonly tombstones = new Map<string, Entry>();
  /** The clock error of the mtimes of Main's files, nanoseconds, if Main reported it. */
  readonly clocks = new Map<string, bigint>();
  readonly #saves = new SavesOfPaths();
  /** Paths that Main lists and this host must not touch, with the reason. */
  readonly refused = new Map<string, string>();
  /** Paths of Main that can't be synchronised, and what they are. */
  readonly special = new Map<string, string>();
  /** Owners and groups as Main names them. */
  readonly mainOwners = new MainOwners();
  readonly #owners: Owners;
  readonly #nested: ReadonlySet<string>;
  #manifest = new Manifest();
  /** Names by their folder, from the first time on that they are asked for: a plan rarely does. */
  #children: Map<string, Set<string>> | undefined;
  /** The manifest that is arriving. */
  #loading: Manifest | undefined;
  /** The difference that is arriving. */
  #difference: ArrivingDifference | undefined;
  /** The buckets that Main was asked to compare. */
  #offered: number | undefined;
  /** All paths that were listed since the manifest began, including revoked ones. */
  #characters = 0;

  constructor(owners: Owners, nested: ReadonlySet<string>) {
    this.#owners = owners;
    this.#nested = nested;
  }

  get isReady(): boolean {
    return this.revision !== undefined;
  }

  /** Entries of the copy, which may be outdated while there is no {@link revision}. */
  get size(): number {
    return this.#manifest.size;
  }

  get digest(): string {
    return this.#manifest.digest;
  }

  get(path: string): PathState | undefined {
    const shown = this.#manifest.get(path);
    if (shown !== undefined) return this.#stateOf(path, shown);
    return this.#belowUnreadable(path);
  }

  /** The id of the save by which a path became what it is, or went, on Main; null where Main does not say it. */
  saveOf(path: string): string | null {
    return this.#saves.of(path);
  }

  paths(): Iterable<string> {
    return this.#manifest.keys();
  }

  *childrenOf(folder: string): Iterable<string> {
    for (const name of this.#namesByFolder().get(folder) ?? []) {
      const path = joinPath(folder, name);
      const shown = this.#manifest.get(path);
      if (shown !== undefined && shown.kind !== 'gone') yield path;
    }
  }

  /** Main's overrides never leave Main. */
  holdsOverride(): boolean {
    return false;
  }

  /** Adds an entry of which it is assumed that Main still has it; Main's answer to {@link offer} corrects it. */
  restore(path: string, shown: ManifestEntry): void {
    this.#set(path, shown);
  }

  /** The digests by which Main finds what differs from this copy; undefined when there is nothing to compare. */
  offer(): string | undefined {
    this.#offered = this.size === 0 ? undefined : bucketsFor(this.size);
    return this.#offered === undefined ? undefined : this.#manifest.bucketDigests;
  }

  /**
   * Main's manifest follows: the whole one, or what differs from this copy.
   * @param replaces the buckets that differ
   * @returns what is wrong with that; undefined when nothing is
   */
  begin(held: string | null, root: Entry | null, replaces?: readonly number[]): string | undefined {
    this.held = held ?? undefined;
    this.root = root?.type === 'folder' ? root : undefined;
    this.#characters = 0;
    this.#difference = undefined;
    this.#loading = undefined;
    const offered = this.#offered;
    this.#offered = undefined;
    if (replaces === undefined) {
      this.#loading = new Manifest();
      this.#saves.clear();
      return undefined;
    }
    if (offered === undefined) return 'a difference from a manifest that was not offered';
    this.revision = undefined;
    this.#difference = new ArrivingDifference(this.#manifest.keys(), offered, new Set(replaces));
    return undefined;
  }

  /** @returns what is wrong with the page; undefined when nothing is */
  page(items: readonly ManifestItem[], saves?: SavesOfItems): string | undefined {
    if (!this.#isArriving) return 'a manifest page without a beginning';
    this.#saves.note(items, saves);
    for (const { path, shown } of items) {
      // An invalid name is ignored.
      if (path === '') continue;
      if (this.#loading === undefined) this.#set(path, shown);
      else this.#loading.set(path, shown);
      this.#difference?.named(path);
      this.#characters += charactersOf(path, shown);
    }
    return (this.#loading ?? this.#manifest).size > MAX_MANIFEST_ENTRIES ||
      this.#characters > MAX_MANIFEST_CHARACTERS
      ? `a manifest with too many entries (at most ${MAX_MANIFEST_ENTRIES}, and ${MAX_MANIFEST_CHARACTERS} characters)`
      : undefined;
  }

  /**
   * The manifest has arrived.
   * @param digest of all of it, if Main says it
   * @returns `unexpected` when none was arriving; `wrong` when the digest differs: then nothing may be planned by it
   */
  end(revision: number, digest?: string): 'whole' | 'unexpected' | 'wrong' {
    if (this.#loading !== undefined) this.#replaceBy(this.#loading);
    else if (this.#difference === undefined) return 'unexpected';
    else for (const path of this.#difference.gone) this.#set(path, { kind: 'gone' });
    this.#loading = undefined;
    this.#difference = undefined;
    const isRight = digest === undefined || digest === this.#manifest.exactDigest;
    this.revision = isRight ? revision : undefined;
    return isRight ? 'whole' : 'wrong';
  }

  /**
   * Applies changes of Main.
   * @returns the paths, or undefined when this copy has not the revision on which the changes are based
   */
  change(
    from: number,
    to: number,
    held: string | null,
    items: readonly ManifestItem[],
    saves?: SavesOfItems,
  ): string[] | undefined {
    if (this.#isArriving) {
      this.held = held ?? undefined;
      // The remaining pages are as new as these changes.
      this.page(items, saves);
      return [];
    }
    if (this.revision !== from || this.#manifest.size > MAX_MANIFEST_ENTRIES) return undefined;
    this.#saves.note(items, saves);
    this.revision = to;
    this.held = held ?? undefined;
    for (const { path, shown } of items) {
      if (path !== '') this.#set(path, shown);
    }
    return items.map(({ path }) => path);
  }

  /** The next connection starts with Main's manifest, or the difference from this copy; until then nothing is planned. */
  forgetRevision(): void {
    this.revision = undefined;
    this.#loading = undefined;
    this.#difference = undefined;
    this.#offered = undefined;
  }

  get #isArriving(): boolean {
    return this.#loading !== undefined || this.#difference !== undefined;
  }

  #replaceBy(manifest: Manifest): void {
    this.#manifest = manifest;
    this.unplanned.noteAll();
    this.tombstones.clear();
    this.clocks.clear();
    this.refused.clear();
    this.special.clear();
    this.#children = undefined;
    for (const [path, shown] of manifest.entries()) this.#notice(path, shown);
  }

  #set(path: string, shown: ManifestEntry): void {
    this.#manifest.set(path, shown);
    this.unplanned.note(path);
    this.tombstones.delete(path);
    this.clocks.delete(path);
    this.refused.delete(path);
    this.special.delete(path);
    this.#notice(path, shown);
  }

  #notice(path: string, shown: ManifestEntry): void {
    if (this.#children !== undefined) enlist(this.#children, path);
    const refusal =
      refusePath(path) ??
      (isNested(this.#nested, path) ? 'it belongs to another synchronised directory' : undefined);
    if (shown.kind === 'settled') this.mainOwners.note(shown.entry);
    if (shown.kind === 'settled' && shown.clock !== undefined) this.clocks.set(path, BigInt(shown.clock));
    if (shown.kind === 'special') this.special.set(path, shown.what);
    if (shown.kind === 'gone' && shown.tombstone === undefined) return;
    if (refusal !== undefined) this.refused.set(path, refusal);
    else if (shown.kind === 'gone' && shown.tombstone)
      this.tombstones.set(path, localise(shown.tombstone, this.#owners));
  }

  #namesByFolder(): Map<string, Set<string>> {
    if (this.#children !== undefined) return this.#children;
    const children = new Map<string, Set<string>>();
    for (const path of this.#manifest.keys()) enlist(children, path);
    return (this.#children = children);
  }

  #stateOf(path: string, shown: ManifestEntry): PathState | undefined {
    if (shown.kind === 'gone' || isOverride(path)) return undefined;
    if (this.refused.has(path)) return { kind: 'special', what: 'a path that is not allowed' };
    if (shown.kind !== 'settled') return shown;
    const { entry } = shown;
    if (entry.type === 'link' && !staysInside(path, entry.target))
      return { kind: 'special', what: 'a link that leads outside' };
    const local = localise(entry, this.#owners);
    return local === entry ? shown : { kind: 'settled', entry: local };
  }

  #belowUnreadable(path: string): PathState | undefined {
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      const shown = this.#manifest.get(folder);
      if (shown?.kind === 'unreadable') return shown;
      if (shown !== undefined) return undefined;
    }
    return undefined;
  }
}

/** Names stay listed when their path is gone; callers look the path up. */
function enlist(children: Map<string, Set<string>>, path: string): void {
  const names = children.get(parentOf(path));
  if (names === undefined) children.set(parentOf(path), new Set([baseOf(path)]));
  else names.add(baseOf(path));
}

function charactersOf(path: string, shown: ManifestEntry): number {
  const entry = shown.kind === 'settled' ? shown.entry : shown.kind === 'gone' ? shown.tombstone : undefined;
  const said = shown.kind === 'special' ? shown.what : shown.kind === 'unreadable' ? shown.errno : '';
  if (entry === undefined) return path.length + said.length;
  const target = entry.type === 'link' ? entry.target.length : 0;
  return path.length + target + entry.owner.length + entry.group.length;
}
