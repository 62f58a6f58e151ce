import type { DirectoryReport } from '#protocol/messages/common.ts';
import type { FromMain } from '#protocol/messages/session.ts';
import { Owners } from '#host/fs/owners.ts';
import { Counts } from '../../../agent/directory/counts.ts';
import { MainManifest } from '../../../agent/directory/manifest/mainManifest.ts';

type Message<Type extends FromMain['type']> = Extract<FromMain, { type: Type }>;

/**
 * Main's manifests, once for all simulated agents: the first one fetches them whole, and the others say by the digests of
 * these that they have the same.
 */
export class SharedManifests {
  readonly #manifests = new Map<string, { readonly manifest: MainManifest; readonly counts: Counts }>();
  /** The agent that fetches them. */
  #first: object | undefined;

  /** What an agent requests a manifest with: digests, or nothing for the whole one. */
  request(agent: object, directory: string): string | undefined {
    this.#first ??= agent;
    if (this.#first !== agent) return this.#manifests.get(directory)?.manifest.offer();
    const manifest = new MainManifest(new Owners(), new Set());
    this.#manifests.set(directory, { manifest, counts: new Counts() });
    return undefined;
  }

  begin(agent: object, { directory, held, root }: Message<'manifest-begin'>): void {
    if (agent === this.#first) this.#manifests.get(directory)?.manifest.begin(held, root);
  }

  page(agent: object, { directory, items }: Message<'manifest-page'>): void {
    if (agent === this.#first) this.#manifests.get(directory)?.manifest.page(items);
  }

  end(agent: object, { directory, revision, digest }: Message<'manifest-end'>): void {
    const kept = this.#manifests.get(directory);
    if (agent !== this.#first || kept === undefined) return;
    kept.manifest.end(revision, digest);
    this.#count(directory, kept.manifest.paths());
  }

  /** Main sends each change to every agent: the first to hear of it notes it. */
  change({ directory, from, revision, held, items }: Message<'changes'>): void {
    const changed = this.#manifests.get(directory)?.manifest.change(from, revision, held, items);
    this.#count(directory, changed ?? []);
  }

  /** What an agent that has all of it reports. */
  reports(): DirectoryReport[] {
    return [...this.#manifests].map(([name, { manifest, counts }]) => ({
      name,
      revision: manifest.revision ?? 0,
      files: counts.files,
      bytes: counts.bytes,
      pending: 0,
      localOnly: 0,
      held: null,
      digest: counts.digest,
    }));
  }

  #count(directory: string, paths: Iterable<string>): void {
    const { manifest, counts } = this.#manifests.get(directory) ?? {};
    for (const path of paths) {
      const shown = manifest?.get(path);
      counts?.count(path, shown?.kind === 'settled' ? shown.entry : undefined, true);
    }
  }
}
