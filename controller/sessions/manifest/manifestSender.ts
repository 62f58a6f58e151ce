import type { ManifestItem, SavesOfItems } from '#protocol/messages/common.ts';
import type { FromMain } from '#protocol/messages/session.ts';
import { pagesOf } from '#protocol/pages.ts';
import type { MainDirectory, FolderRename } from '../../directories/mainDirectory.ts';
import type { Revision } from '../../directories/publication.ts';
import { savesOf } from './savesOf.ts';
import { manifestDifferenceFrom } from './manifestDifference.ts';
import { CompatibleManifest } from './compatibleManifest.ts';
import { textsOf } from './revisionTexts.ts';

/** Paths in one page of a manifest. */
const PAGE = 1_000;

/** The connection to the agent. */
export type ManifestLine = {
  readonly isOpen: boolean;
  send(message: FromMain): void;
  /** The same with a message as text. */
  sendText(text: string): void;
  /** Resolves when the message has left this process. */
  sendAndWait(message: FromMain): Promise<void>;
};

export type ManifestSenderOptions = {
  readonly line: ManifestLine;
  /** Main's current state. */
  readonly sequence: () => number;
  /** Why a directory is held for this MDS alone; null when it is not. */
  readonly hold: (directory: string) => string | null;
  /** The save by which a path became what it is on Main; null where it is not known. */
  readonly saveOf: (directory: string, path: string) => string | null;
};

/** Sends one agent Main's manifests: the whole one, or what differs from its own, when it asks, and changes from then on. */
export class ManifestSender {
  readonly #options: ManifestSenderOptions;
  /** The directories whose manifest this agent has asked for; only their changes are sent. */
  readonly #following = new Set<string>();
  readonly #sending = new Set<string>();
  /** Directories of too many paths, with the copy that the agent has of each: they are sent once there are fewer. */
  readonly #waiting = new Map<
    string,
    { readonly directory: MainDirectory; readonly have: string | undefined }
  >();
  /** Adapts the manifests to this agent's version. */
  #compatible = new CompatibleManifest(new Set());
  #takesSaves = false;
  #takesFolderRenames = false;

  constructor(options: ManifestSenderOptions) {
    this.#options = options;
  }

  /** Sets the agent's capabilities. */
  speakTo(capabilities: ReadonlySet<string>): void {
    this.#compatible = new CompatibleManifest(capabilities);
    this.#takesSaves = capabilities.has('saves');
    this.#takesFolderRenames = capabilities.has('folder-renames');
  }

  /** Paths of a directory that this agent's version can't be sent, with the reason. */
  omitted(directory: string): ReadonlyMap<string, string> {
    return this.#compatible.omitted(directory);
  }

  follows(directory: string): boolean {
    return this.#following.has(directory);
  }

  /** Sends a new revision, or the manifest that had to wait. Resolves when the latter has left this process. */
  async announce(revision: Revision): Promise<void> {
    const { directory } = revision;
    if (!this.#following.has(directory)) return this.#sendWaiting(directory);
    const { line, sequence, hold } = this.#options;
    const state = { sequence: sequence(), held: revision.held ?? hold(directory) };
    const changes = (): Iterable<FromMain> => this.#changes(revision, state);
    if (!this.#compatible.isExact) for (const message of changes()) line.send(message);
    else {
      const variant = JSON.stringify([state, this.#takesSaves]);
      for (const text of textsOf(revision, variant, changes)) line.sendText(text);
    }
  }

  /** A large change is sent in several messages; after each but the last one the agent is one revision behind. */
  *#changes(
    { directory, from, revision, items }: Revision,
    state: { readonly sequence: number; readonly held: string | null },
  ): Iterable<FromMain> {
    const said = this.#compatible.of(
      directory,
      items.map(({ path, shown }) => [path, shown]),
    );
    const pages = [...pagesOf(said)];
    for (const [number, page] of (pages.length === 0 ? [[]] : pages).entries()) {
      const to = number + 1 >= pages.length ? revision : from;
      const saves = this.#savesOf(directory, page);
      yield { type: 'changes', directory, from, revision: to, ...state, items: page, ...saves };
    }
  }

  /** Sends whether a directory is held; nothing else changed. */
  async announceHold({ name, revision, replica }: MainDirectory): Promise<void> {
    const { held } = replica;
    await this.announce({ directory: name, from: revision, revision, held: held ?? null, items: [] });
  }

  /** Sends the new name of a folder, before the changes of its files, if the agent may have them at once. */
  announceFolderRename({ directory, from, to }: FolderRename): void {
    const { line, hold } = this.#options;
    if (!this.#takesFolderRenames || !this.#following.has(directory)) return;
    if (hold(directory) === null) line.send({ type: 'folder-renamed', directory, from, to });
  }

  /** Asks the agent to compare its copy of Main's manifest. */
  check({ name, revision, manifest }: MainDirectory): void {
    // A copy that necessarily differs can't be compared.
    if (!this.#following.has(name) || this.#compatible.differs(name)) return;
    const { line, sequence } = this.#options;
    line.send({ type: 'check', directory: name, revision, sequence: sequence(), digest: manifest.digest });
  }

  async #sendWaiting(name: string): Promise<void> {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) await this.send(waiting.directory, waiting.have);
  }

  /**
   * Sends the manifest, unless it is being sent already: that one ends with the latest revision. One of too many paths waits
   * until there are fewer: an agent would take it for a violation, and with the connection the other directories end.
   * @param have the digests of the manifest that the agent has: then only what differs is sent, if that is less
   */
  async send(directory: MainDirectory, have?: string): Promise<void> {
    const { name } = directory;
    if (this.#sending.has(name)) return;
    if (directory.isTooLarge) {
      this.#waiting.set(name, { directory, have });
      this.#following.delete(name);
      return;
    }
    this.#waiting.delete(name);
    this.#sending.add(name);
    try {
      await this.#sendPages(directory, have);
    } finally {
      this.#sending.delete(name);
    }
  }

  async #sendPages(directory: MainDirectory, have: string | undefined): Promise<void> {
    const { name, revision: first, manifest } = directory;
    const { line, sequence, hold } = this.#options;
    const held = directory.replica.held ?? hold(name);
    const root = directory.rootEntry();
    const difference =
      have !== undefined && this.#compatible.isExact ? manifestDifferenceFrom(manifest, have) : undefined;
    const replaces = difference && { replaces: difference.buckets };
    line.send({ type: 'manifest-begin', directory: name, revision: first, held, root, ...replaces });
    this.#following.add(name);
    const entries = difference?.entries() ?? manifest.entries();
    for (const items of pagesOf(this.#compatible.of(name, entries), { most: PAGE })) {
      if (!line.isOpen) return;
      const saves = this.#savesOf(name, items);
      await line.sendAndWait({ type: 'manifest-page', directory: name, items, ...saves });
    }
    const { revision } = directory;
    const digest = have !== undefined && { digest: manifest.exactDigest };
    line.send({ type: 'manifest-end', directory: name, revision, sequence: sequence(), ...digest });
  }

  #savesOf(directory: string, items: readonly ManifestItem[]): { saves?: SavesOfItems } {
    const saves = this.#takesSaves
      ? savesOf(items, (path) => this.#options.saveOf(directory, path))
      : undefined;
    return saves === undefined ? {} : { saves };
  }
}
