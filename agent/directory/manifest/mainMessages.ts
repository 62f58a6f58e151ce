import type { FromMain } from '#protocol/messages/session.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { Ledger } from '#sync/state/ledger.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { MainManifest } from './mainManifest.ts';
import { ManifestMemory } from './manifestMemory.ts';
import type { DirectoryEvents } from '../directoryEvents.ts';
import type { Reconciler } from '../reconciler.ts';

/** Main's messages about one directory. */
export type DirectoryMessage = Extract<FromMain, { directory: string }>;

export type MainMessagesOptions = {
  readonly policy: { readonly name: string };
  readonly place: DirectoryPlace;
  readonly events: DirectoryEvents;
  readonly mainView: MainManifest;
  readonly ledger: Ledger;
  readonly reconciler: Reconciler;
  /** The connection to Main, while there is one. */
  readonly session: () => AgentSession | undefined;
  /** Called when Main's whole manifest has arrived. */
  readonly onManifest: () => void;
};

/** Enters Main's messages about one directory into its manifest here, and has the changed paths planned. */
export class MainMessages {
  readonly #options: MainMessagesOptions;
  readonly #memory: ManifestMemory;

  constructor(options: MainMessagesOptions) {
    this.#options = options;
    const { policy, mainView, ledger, place, events } = options;
    this.#memory = new ManifestMemory(policy.name, mainView, ledger, { ...place, events });
  }

  /** Requests Main's manifest; only what differs from the copy that is here, if Main can compare them. */
  request(): void {
    const { policy, mainView } = this.#options;
    const session = this.#options.session();
    const compares = session?.mainCapabilities.has('manifest-difference') === true;
    if (compares) this.#memory.restore();
    session?.wantManifest(policy.name, compares ? mainView.offer() : undefined);
  }

  receive(message: DirectoryMessage): void {
    const { mainView, place } = this.#options;
    switch (message.type) {
      case 'manifest-begin':
        return this.#unless(mainView.begin(message.held, message.root, message.replaces));
      case 'manifest-page':
        return this.#unless(mainView.page(message.items, message.saves));
      case 'manifest-end':
        return this.#end(message);
      case 'changes':
        return this.#change(message);
      case 'check':
        if (mainView.revision === message.revision && mainView.digest !== message.digest) {
          place.log.error("this copy of Main's manifest was wrong; it is fetched again");
          this.#fetchAgain();
        }
        return undefined;
    }
  }

  #unless(fault: string | undefined): void {
    if (fault !== undefined) this.#options.session()?.violation(fault);
  }

  #end({ revision, digest }: DirectoryMessage & { type: 'manifest-end' }): void {
    const { mainView, place, onManifest } = this.#options;
    const outcome = mainView.end(revision, digest);
    if (outcome === 'unexpected') return this.#unless('a manifest that ends before it began');
    if (outcome === 'wrong') {
      place.log.warn(
        "the difference did not make this copy of Main's manifest equal to it; all of it is fetched",
      );
      return this.#fetchAgain();
    }
    this.#memory.save();
    onManifest();
  }

  #change({ from, revision, held, items, saves }: DirectoryMessage & { type: 'changes' }): void {
    const { mainView, reconciler } = this.#options;
    const paths = mainView.change(from, revision, held, items, saves);
    if (paths === undefined) return this.#fetchAgain();
    this.#memory.save();
    reconciler.mainChanged(paths);
    if (held !== (reconciler.held ?? null)) reconciler.wake('all');
  }

  #fetchAgain(): void {
    this.#options.session()?.wantManifest(this.#options.policy.name);
  }
}
