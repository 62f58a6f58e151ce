import type { FolderEntry } from '#protocol/entry.ts';
import type { ManifestItem, ManifestEntry, SavesOfItems } from '#protocol/messages/common.ts';
import { MAX_MANIFEST_CHARACTERS, MAX_MANIFEST_ENTRIES } from '#protocol/limits.ts';
import type { Owners } from '#host/fs/owners.ts';
import type { Entry } from '#core/manifest/entry.ts';
import { localise } from '#core/manifest/localise.ts';
import { Manifest } from '#core/manifest/manifest.ts';
import type { PathState } from '#core/manifest/pathState.ts';
import { isNested } from '#core/path/nesting.ts';
import { baseOf, isOverride, joinPath, parentOf, refusePath } from '#core/path/relative.ts';
import type { Tree } from '#core/plan/tree.ts';
import { staysInside } from '#sync/scan/inspect.ts';

/** Paths whose save is remembered: more than the largest save has. */
const MAX_SAVES = 200_000;

/** This agent's copy of Main's manifest of one directory. */
export class MainManifest implements Tree {
  held: string | undefined;
  /** The revision of Main's manifest that it equals, or undefined before the first whole manifest. */
  revision: number | undefined;
  /** The entry of the directory itself on Main. */
  root: FolderEntry | undefined;
  readonly tombstones = new Map<string, Entry>();
  /** The clock error of the mtimes of Main's files, nanoseconds, if Main reported it. */
  readonly clocks = new Map<string, bigint>();
  /** The saves by which paths became what they are on Main, as far as Main says so. */
  readonly #saves = new Map<string, string>();
  /** Paths that Main lists and this host must not touch, with the reason. */
  readonly refused = new Map<string, string>();
  /** Paths of Main that can't be synchronised, and what they are. */
  readonly special = new Map<string, string>();
  readonly #owners: Owners;
  readonly #nested: ReadonlySet<string>;
  #manifest = new Manifest();
  /** Names by their folder. */
  readonly #children = new Map<string, Set<string>>();
  /** The manifest that is arriving. */
  #loading: Manifest | undefined;
  /** All paths that were listed since the manifest began, including revoked ones. */
  #characters = 0;

  constructor(owners: Owners, nested: ReadonlySet<string>) {
    this.#owners = owners;
    this.#nested = nested;
  }

  get isReady(): boolean {
    return this.revision !== undefined;
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
    return this.#saves.get(path) ?? null;
  }

  paths(): Iterable<string> {
    return this.#manifest.keys();
  }

  *childrenOf(folder: string): Iterable<string> {
    for (const name of this.#children.get(folder) ?? []) {
      const path = joinPath(folder, name);
      const shown = this.#manifest.get(path);
      if (shown !== undefined && shown.kind !== 'gone') yield path;
    }
  }

  /** Main's overrides never leave Main. */
  holdsOverride(): boolean {
    return false;
  }

  begin(held: string | null, root: Entry | null): void {
    this.#loading = new Manifest();
    this.#saves.clear();
    this.#characters = 0;
    this.held = held ?? undefined;
    this.root = root?.type === 'folder' ? root : undefined;
  }

  /** @returns what is wrong with the page; undefined when nothing is */
  page(items: readonly ManifestItem[], saves?: SavesOfItems): string | undefined {
    if (this.#loading === undefined) return 'a manifest page without a beginning';
    this.#noteSaves(items, saves);
    for (const { path, shown } of items) {
      // An invalid name is ignored.
      if (path === '') continue;
      this.#loading.set(path, shown);
      this.#characters += charactersOf(path, shown);
    }
    return this.#loading.size > MAX_MANIFEST_ENTRIES || this.#characters > MAX_MANIFEST_CHARACTERS
      ? `a manifest with too many entries (at most ${MAX_MANIFEST_ENTRIES}, and ${MAX_MANIFEST_CHARACTERS} characters)`
      : undefined;
  }

  /** @returns false when no manifest was arriving */
  end(revision: number): boolean {
    if (this.#loading === undefined) return false;
    this.#manifest = this.#loading;
    this.#loading = undefined;
    this.revision = revision;
    this.tombstones.clear();
    this.clocks.clear();
    this.refused.clear();
    this.special.clear();
    this.#children.clear();
    for (const [path, shown] of this.#manifest.entries()) this.#notice(path, shown);
    return true;
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
    if (this.#loading !== undefined) {
      // The remaining pages are as new as these changes.
      this.page(items, saves);
      return [];
    }
    if (this.revision !== from || this.#manifest.size > MAX_MANIFEST_ENTRIES) return undefined;
    this.#noteSaves(items, saves);
    this.revision = to;
    this.held = held ?? undefined;
    for (const { path, shown } of items) {
      if (path === '') continue;
      this.#manifest.set(path, shown);
      this.tombstones.delete(path);
      this.clocks.delete(path);
      this.refused.delete(path);
      this.special.delete(path);
      this.#notice(path, shown);
    }
    return items.map(({ path }) => path);
  }

  /** The next connection starts with a whole manifest; until then nothing is planned. */
  forgetRevision(): void {
    this.revision = undefined;
    this.#loading = undefined;
  }

  #noteSaves(items: readonly ManifestItem[], saves: SavesOfItems | undefined): void {
    for (const [number, { path }] of items.entries()) {
      const save = saves?.ids[saves.of[number] ?? -1];
      // The newest last: the oldest make room.
      this.#saves.delete(path);
      if (save !== undefined && path !== '') this.#saves.set(path, save);
    }
    for (const path of this.#saves.keys()) {
      if (this.#saves.size <= MAX_SAVES) break;
      this.#saves.delete(path);
    }
  }

  #notice(path: string, shown: ManifestEntry): void {
    this.#enlist(path);
    const refusal =
      refusePath(path) ??
      (isNested(this.#nested, path) ? 'it belongs to another synchronised directory' : undefined);
    if (shown.kind === 'settled' && shown.clock !== undefined) this.clocks.set(path, BigInt(shown.clock));
    if (shown.kind === 'special') this.special.set(path, shown.what);
    if (refusal !== undefined) this.refused.set(path, refusal);
    else if (shown.kind === 'gone' && shown.tombstone)
      this.tombstones.set(path, localise(shown.tombstone, this.#owners));
  }

  /** Names stay listed when their path is gone; callers look the path up. */
  #enlist(path: string): void {
    const names = this.#children.get(parentOf(path));
    if (names === undefined) this.#children.set(parentOf(path), new Set([baseOf(path)]));
    else names.add(baseOf(path));
  }

  #stateOf(path: string, shown: ManifestEntry): PathState | undefined {
    if (shown.kind === 'gone' || isOverride(path)) return undefined;
    if (this.refused.has(path)) return { kind: 'special', what: 'a path that is not allowed' };
    if (shown.kind !== 'settled') return shown;
    const { entry } = shown;
    if (entry.type === 'link' && !staysInside(path, entry.target))
      return { kind: 'special', what: 'a link that leads outside' };
    return { kind: 'settled', entry: localise(entry, this.#owners) };
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

function charactersOf(path: string, shown: ManifestEntry): number {
  const entry = shown.kind === 'settled' ? shown.entry : shown.kind === 'gone' ? shown.tombstone : undefined;
  const said = shown.kind === 'special' ? shown.what : shown.kind === 'unreadable' ? shown.errno : '';
  if (entry === undefined) return path.length + said.length;
  const target = entry.type === 'link' ? entry.target.length : 0;
  return path.length + target + entry.owner.length + entry.group.length;
}
