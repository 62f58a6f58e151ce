import { isFarTime } from '#protocol/capabilities.ts';
import type { ManifestItem, ManifestEntry } from '#protocol/messages/common.ts';
import type { Entry } from '#core/manifest/entry.ts';

const FAR =
  "it has a time after 2286, which the version of this MDS's agent does not understand: upgrade the agent";
/** Omitted paths remembered per directory, for status. */
const MAX_NAMED = 100;

/**
 * Adapts Main's manifests to the version of one agent. An entry that an older version would reject as a violation is sent
 * as something that does not travel, so that only that file is affected.
 */
export class CompatibleManifest {
  readonly #clocks: boolean;
  readonly #farTimes: boolean;
  /** Entries that this agent was not sent as they are, by directory and path. */
  readonly #omitted = new Map<string, Map<string, string>>();

  constructor(capabilities: ReadonlySet<string>) {
    this.#clocks = capabilities.has('clocks');
    this.#farTimes = capabilities.has('far-times');
  }

  /** True for an agent that is sent every entry as it is. */
  get isExact(): boolean {
    return this.#clocks && this.#farTimes;
  }

  /** Whether the agent's copy of a directory's manifest necessarily differs from Main's. */
  differs(directory: string): boolean {
    return this.#omitted.has(directory);
  }

  /** The omitted paths of a directory, with the reason. */
  omitted(directory: string): ReadonlyMap<string, string> {
    return this.#omitted.get(directory) ?? new Map();
  }

  *of(
    directory: string,
    items: Iterable<readonly [path: string, state: ManifestEntry]>,
  ): Generator<ManifestItem, undefined> {
    for (const [path, state] of items) yield { path, shown: this.#adapt(directory, path, state) };
  }

  #adapt(directory: string, path: string, state: ManifestEntry): ManifestEntry {
    if (this.isExact) return state;
    const entry =
      state.kind === 'settled' ? state.entry : state.kind === 'gone' ? state.tombstone : undefined;
    if (entry !== undefined && !this.#isUnderstood(entry)) {
      this.#note(directory, path);
      return state.kind === 'gone'
        ? { kind: 'gone' }
        : { kind: 'special', what: `a file whose time is after 2286` };
    }
    this.#omitted.get(directory)?.delete(path);
    return state.kind === 'settled' && !this.#clocks ? { kind: 'settled', entry: state.entry } : state;
  }

  #note(directory: string, path: string): void {
    const paths = this.#omitted.get(directory) ?? new Map<string, string>();
    this.#omitted.set(directory, paths);
    if (paths.size < MAX_NAMED) paths.set(path, FAR);
  }

  #isUnderstood(entry: Entry): boolean {
    return this.#farTimes || entry.type !== 'file' || !isFarTime(entry.mtime);
  }
}
