import type { FromMain } from '#protocol/messages/session.ts';
import type { Logger } from '#host/log/logger.ts';
import type { AgentSession } from '../connection/agentSession.ts';
import type { MainManifest } from './mainManifest.ts';
import type { Reconciler } from './reconciler.ts';

/** Main's messages about one directory. */
export type DirectoryMessage = Extract<FromMain, { directory: string }>;

export type MainMessagesOptions = {
  readonly directory: string;
  readonly mainView: MainManifest;
  readonly reconciler: Reconciler;
  readonly log: Logger;
  /** The connection to Main, while there is one. */
  readonly session: () => AgentSession | undefined;
  /** Called when Main's whole manifest has arrived. */
  readonly onManifest: () => void;
};

/** Enters Main's messages about one directory into its manifest here, and has the changed paths planned. */
export class MainMessages {
  readonly #options: MainMessagesOptions;

  constructor(options: MainMessagesOptions) {
    this.#options = options;
  }

  receive(message: DirectoryMessage): void {
    const { mainView, log, onManifest } = this.#options;
    const session = this.#options.session();
    switch (message.type) {
      case 'manifest-begin':
        return mainView.begin(message.held, message.root);
      case 'manifest-page': {
        const fault = mainView.page(message.items, message.saves);
        return fault === undefined ? undefined : session?.violation(fault);
      }
      case 'manifest-end':
        if (!mainView.end(message.revision))
          return session?.violation('a manifest that ends before it began');
        return onManifest();
      case 'changes':
        return this.#change(message);
      case 'check':
        if (mainView.revision === message.revision && mainView.digest !== message.digest) {
          log.error("this copy of Main's manifest was wrong; it is fetched again");
          this.#fetchAgain();
        }
        return undefined;
    }
  }

  #change({ from, revision, held, items, saves }: DirectoryMessage & { type: 'changes' }): void {
    const { mainView, reconciler } = this.#options;
    const paths = mainView.change(from, revision, held, items, saves);
    if (paths === undefined) return this.#fetchAgain();
    reconciler.mainChanged(paths);
    if (held !== (reconciler.held ?? null)) reconciler.wake('all');
  }

  #fetchAgain(): void {
    this.#options.session()?.wantManifest(this.#options.directory);
  }
}
