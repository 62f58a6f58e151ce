import type { FromMain } from '#protocol/messages/session.ts';
import { pagesOf } from '#protocol/pages.ts';
import type { MainDirectory, Revision } from '../directories/mainDirectory.ts';
import { AgentWords } from './agentWords.ts';

/** Paths in one page of a manifest. */
const PAGE = 1_000;

/** Where the messages go. */
export type ManifestLine = {
  readonly isOpen: boolean;
  send(message: FromMain): void;
  /** Resolves when it has left this process. */
  sendAndWait(message: FromMain): Promise<void>;
};

export type ManifestSenderOptions = {
  readonly line: ManifestLine;
  /** Main's state now. */
  readonly sequence: () => number;
  /** Why this MDS has to wait with a directory that is not held for all, or null. */
  readonly hold: (directory: string) => string | null;
};

/** Tells one agent what Main holds: the whole manifest when it asks, and from then on what changes. */
export class ManifestSender {
  readonly #options: ManifestSenderOptions;
  /** The directories whose whole manifest this agent has asked for: only these get changes. */
  readonly #following = new Set<string>();
  readonly #sending = new Set<string>();
  /** What of Main's manifests this agent understands. */
  #words = new AgentWords(new Set());

  constructor(options: ManifestSenderOptions) {
    this.#options = options;
  }

  /** The agent has said what it understands. */
  speakTo(capabilities: ReadonlySet<string>): void {
    this.#words = new AgentWords(capabilities);
  }

  /** What of a directory could not be said to this agent, and why, by path. */
  notSaid(directory: string): ReadonlyMap<string, string> {
    return this.#words.notSaid(directory);
  }

  follows(directory: string): boolean {
    return this.#following.has(directory);
  }

  /** Tells the agent what changed on Main. */
  tell({ directory, from, revision, held: heldOnMain, items }: Revision): void {
    if (!this.#following.has(directory)) return;
    const { line, sequence, hold } = this.#options;
    const held = heldOnMain ?? hold(directory);
    // A large change travels in pieces; each but the last leaves the agent one revision behind.
    const said = this.#words.of(
      directory,
      items.map(({ path, shown }) => [path, shown]),
    );
    const pages = [...pagesOf(said)];
    for (const [number, page] of (pages.length === 0 ? [[]] : pages).entries()) {
      const to = number + 1 >= pages.length ? revision : from;
      line.send({ type: 'changes', directory, from, revision: to, sequence: sequence(), held, items: page });
    }
  }

  /** Tells the agent again whether a directory is held; nothing else changed. */
  retell({ name, revision, replica }: MainDirectory): void {
    const { held } = replica;
    this.tell({ directory: name, from: revision, revision, held: held ?? null, items: [] });
  }

  /** Lets the agent compare its copy of Main's manifest. */
  check({ name, revision, manifest }: MainDirectory): void {
    // A copy that had to differ proves nothing.
    if (!this.#following.has(name) || this.#words.differs(name)) return;
    const { line, sequence } = this.#options;
    line.send({ type: 'check', directory: name, revision, sequence: sequence(), digest: manifest.digest });
  }

  /** Sends the whole manifest. One that is on its way ends with the newest revision, and needs no second beside it. */
  async sendWhole(directory: MainDirectory): Promise<void> {
    const { name } = directory;
    if (this.#sending.has(name)) return;
    this.#sending.add(name);
    try {
      await this.#sendPages(directory);
    } finally {
      this.#sending.delete(name);
    }
  }

  async #sendPages(directory: MainDirectory): Promise<void> {
    const { name, revision: begun } = directory;
    const { line, sequence, hold } = this.#options;
    const held = directory.replica.held ?? hold(name);
    const root = directory.rootEntry();
    line.send({ type: 'manifest-begin', directory: name, revision: begun, held, root });
    this.#following.add(name);
    for (const items of pagesOf(this.#words.of(name, directory.manifest.entries()), { most: PAGE })) {
      if (!line.isOpen) return;
      await line.sendAndWait({ type: 'manifest-page', directory: name, items });
    }
    line.send({ type: 'manifest-end', directory: name, revision: directory.revision, sequence: sequence() });
  }
}
