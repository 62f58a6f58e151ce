import type { DirectoryReport } from '#protocol/messages/common.ts';
import type { FromMain } from '#protocol/messages/session.ts';
import { Owners } from '#host/fs/owners.ts';
import { MainManifest } from '../../../agent/directory/manifest/mainManifest.ts';

type Message<Type extends FromMain['type']> = Extract<FromMain, { type: Type }>;

/**
 * Main's manifests, once for all simulated agents: the first one fetches them whole, and the others say by the digests of
 * these that they have the same.
 */
export class SharedManifests {
  readonly #manifests = new Map<string, MainManifest>();
  /** The agent that fetches them. */
  #first: object | undefined;

  /** What an agent requests a manifest with: digests, or nothing for the whole one. */
  request(agent: object, directory: string): string | undefined {
    this.#first ??= agent;
    if (this.#first !== agent) return this.#manifests.get(directory)?.offer();
    this.#manifests.set(directory, new MainManifest(new Owners(), new Set()));
    return undefined;
  }

  begin(agent: object, { directory, held, root }: Message<'manifest-begin'>): void {
    if (agent === this.#first) this.#manifests.get(directory)?.begin(held, root);
  }

  page(agent: object, { directory, items }: Message<'manifest-page'>): void {
    if (agent === this.#first) this.#manifests.get(directory)?.page(items);
  }

  end(agent: object, { directory, revision, digest }: Message<'manifest-end'>): void {
    if (agent === this.#first) this.#manifests.get(directory)?.end(revision, digest);
  }

  /** Main sends each change to every agent: the first to hear of it notes it. */
  change({ directory, from, revision, held, items }: Message<'changes'>): void {
    this.#manifests.get(directory)?.change(from, revision, held, items);
  }

  /** What an agent that has all of it reports. */
  reports(): DirectoryReport[] {
    return [...this.#manifests].map(([name, { revision = 0, size, digest }]) => ({
      name,
      revision,
      files: size,
      bytes: 0,
      pending: 0,
      localOnly: 0,
      held: null,
      digest,
    }));
  }
}
