import type { FromMain } from '#protocol/messages/session.ts';
import type { DirectoryPlace } from '#sync/directory/directoryPlace.ts';
import type { AgentSession } from '../../connection/agentSession.ts';
import type { AgreedState } from '../agreedState.ts';
import type { MainManifest } from './mainManifest.ts';
import { ManifestMemory } from './manifestMemory.ts';
import type { DirectoryEvents } from '../directoryEvents.ts';
import type { Reconciler } from '../reconciler.ts';
import type { RenamedFolder } from '../renamedFolder/renamedFolder.ts';

/** One of Main's messages. */
type Message<Type extends FromMain['type']> = Extract<FromMain, { type: Type }>;

export type ManifestReceiverOptions = {
  readonly policy: { readonly name: string };
  readonly place: DirectoryPlace;
  readonly events: DirectoryEvents;
  readonly mainManifest: MainManifest;
  readonly agreed: AgreedState;
  readonly reconciler: Reconciler;
  readonly renamed: RenamedFolder;
  /** Called when Main's whole manifest has arrived. @param whenReady to be called when this directory has been scanned, too */
  readonly onManifest: (whenReady: () => void) => void;
};

/** Enters Main's messages about one directory into its manifest here, and has the changed paths planned. */
export class ManifestReceiver {
  readonly #options: ManifestReceiverOptions;
  readonly #memory: ManifestMemory;
  /** Folders that Main has renamed. */
  readonly renamed: RenamedFolder;
  /** The connection to Main, while there is one. */
  session: AgentSession | undefined;
  #here = Promise.withResolvers<boolean>();

  constructor(options: ManifestReceiverOptions) {
    this.#options = options;
    const { policy, mainManifest, agreed, place, events } = options;
    this.renamed = options.renamed;
    this.#memory = new ManifestMemory(policy.name, mainManifest, agreed.ledger, { ...place, events });
  }

  /** Called when a connection to Main is open. */
  attach(session: AgentSession): void {
    this.session = session;
    const here = Promise.withResolvers<boolean>();
    this.#here = here;
    session.signal.addEventListener('abort', () => here.resolve(false), { once: true });
    this.#options.mainManifest.forgetRevision();
  }

  /**
   * Resolves with true when Main's whole manifest has arrived and this directory has been scanned; with false when the
   * connection ends before.
   */
  whenHere(): Promise<boolean> {
    return this.#here.promise;
  }

  /** Requests Main's manifest; only what differs from the copy that is here, if Main can compare them. */
  request(): void {
    const { policy, mainManifest } = this.#options;
    const { session } = this;
    const compares = session?.mainCapabilities.has('manifest-difference') === true;
    if (compares) this.#memory.restore();
    session?.wantManifest(policy.name, compares ? mainManifest.offer() : undefined);
  }

  /** The manifest begins, or what differs from the copy here. */
  begin({ held, root, replaces }: Message<'manifest-begin'>): void {
    this.#unless(this.#options.mainManifest.begin(held, root, replaces));
  }

  page({ items, saves }: Message<'manifest-page'>): void {
    this.#unless(this.#options.mainManifest.page(items, saves));
  }

  end({ revision, digest }: Message<'manifest-end'>): void {
    const { mainManifest, place, onManifest } = this.#options;
    const outcome = mainManifest.end(revision, digest);
    if (outcome === 'unexpected') return this.#unless('a manifest that ends before it began');
    if (outcome === 'wrong') {
      place.log.warn(
        "the difference did not make this copy of Main's manifest equal to it; all of it is fetched",
      );
      return this.#fetchAgain();
    }
    this.#memory.save();
    const here = this.#here;
    onManifest(() => here.resolve(true));
  }

  /** Main changed these paths. */
  change({ from, revision, held, items, saves }: Message<'changes'>): void {
    const { mainManifest, agreed, reconciler } = this.#options;
    const paths = mainManifest.change(from, revision, held, items, saves);
    if (paths === undefined) return this.#fetchAgain();
    // What is here of a path that Main has no more, and that was never agreed on, is this MDS's own from now on.
    for (const path of paths) agreed.count(path);
    this.#memory.save();
    this.renamed.heard(paths);
    reconciler.mainChanged(paths);
    if (held !== (reconciler.held ?? null)) reconciler.wake('all');
  }

  /** Compares the copy here with Main's manifest. */
  check({ revision, digest }: Message<'check'>): void {
    const { mainManifest, place } = this.#options;
    if (mainManifest.revision !== revision || mainManifest.digest === digest) return;
    place.log.error("this copy of Main's manifest was wrong; it is fetched again");
    this.#fetchAgain();
  }

  #unless(fault: string | undefined): void {
    if (fault !== undefined) this.session?.violation(fault);
  }

  #fetchAgain(): void {
    this.session?.wantManifest(this.#options.policy.name);
  }
}
