import { isFarTime } from '#protocol/capabilities.ts';
import type { ManifestItem, ManifestEntry } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';

const FAR =
  "it has a time after 2286, which the version of this MDS's agent does not understand: upgrade the agent";
/** Paths that are remembered, for status, of each directory. */
const MAX_NAMED = 100;

/**
 * Says Main's manifests in words that one agent understands. What an older version would take for a violation is named
 * as something that does not travel, so that it costs that file alone.
 */
export class AgentWords {
  readonly #clocks: boolean;
  readonly #farTimes: boolean;
  /** What this agent was not told as it is, by directory and path. */
  readonly #notSaid = new Map<string, Map<string, string>>();

  constructor(capabilities: ReadonlySet<string>) {
    this.#clocks = capabilities.has('clocks');
    this.#farTimes = capabilities.has('far-times');
  }

  /** Whether the agent's copy of a directory's manifest had to be another one than Main's. */
  differs(directory: string): boolean {
    return this.#notSaid.has(directory);
  }

  /** What could not be said, and why, by path. */
  notSaid(directory: string): ReadonlyMap<string, string> {
    return this.#notSaid.get(directory) ?? new Map();
  }

  *of(
    directory: string,
    items: Iterable<readonly [path: string, shown: ManifestEntry]>,
  ): Generator<ManifestItem, undefined> {
    for (const [path, shown] of items) yield { path, shown: this.#said(directory, path, shown) };
  }

  #said(directory: string, path: string, shown: ManifestEntry): ManifestEntry {
    if (this.#clocks && this.#farTimes) return shown;
    const entry =
      shown.kind === 'settled' ? shown.entry : shown.kind === 'gone' ? shown.tombstone : undefined;
    if (entry !== undefined && !this.#isUnderstood(entry)) {
      this.#note(directory, path);
      return shown.kind === 'gone'
        ? { kind: 'gone' }
        : { kind: 'special', what: `a file whose time is after 2286` };
    }
    this.#notSaid.get(directory)?.delete(path);
    return shown.kind === 'settled' && !this.#clocks ? { kind: 'settled', entry: shown.entry } : shown;
  }

  #note(directory: string, path: string): void {
    const paths = this.#notSaid.get(directory) ?? new Map<string, string>();
    this.#notSaid.set(directory, paths);
    if (paths.size < MAX_NAMED) paths.set(path, FAR);
  }

  #isUnderstood(entry: Entry): boolean {
    return this.#farTimes || entry.type !== 'file' || !isFarTime(entry.mtime);
  }
}
