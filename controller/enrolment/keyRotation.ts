import { X509Certificate } from 'node:crypto';
import type { Identity } from '#host/identity/certificate.ts';
import { RetryingWriter } from '#host/fs/retryingWriter.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Logger } from '#host/log/logger.ts';
import { dropNextIdentity, loadNextIdentity, saveNextIdentity, switchIdentity } from './nextIdentity.ts';
import type { Registry } from '../registry/registry.ts';

export type RotationOptions = {
  readonly folder: string;
  readonly registry: Registry;
  readonly log: Logger;
  /** Tells every agent that is connected. */
  readonly announce: (pin: Pin) => void;
};

/**
 * Main's change to another key, in two steps: the next pin is announced over sessions under the old key, and when
 * every MDS has written it down, the key is switched. An MDS that never heard of it has to enrol again.
 */
export class Rotation {
  readonly #options: RotationOptions;
  readonly #persistent: RetryingWriter;
  #next: Identity | undefined;
  /** Keys that wait for approval and have written the next pin down. Each says so again every few seconds. */
  readonly #unapprovedKnow = new Set<Pin>();

  /** @throws IdentityFilesError when the next identity is damaged */
  constructor(options: RotationOptions) {
    this.#options = options;
    this.#persistent = new RetryingWriter(options.log);
    this.#next = loadNextIdentity(options.folder);
  }

  get nextPin(): Pin | undefined {
    return this.#next?.pin;
  }

  /** The MDS that would lose Main if the key were switched now. */
  get stragglers(): string[] {
    if (this.#next === undefined) return [];
    const { pin } = this.#next;
    const { agents } = this.#options.registry.list();
    return agents.filter(({ knowsNextMain }) => knowsNextMain !== pin).map(({ name }) => name);
  }

  /**
   * Those that wait for approval and did not say yet that they know the next key. They hinder no switch, since
   * any client may ask to enrol.
   */
  get unapproved(): string[] {
    if (this.#next === undefined) return [];
    const { pending } = this.#options.registry.list();
    return pending.filter(({ pin }) => !this.#unapprovedKnow.has(pin)).map(({ name }) => name);
  }

  /** Makes the next key, unless there is one already, and announces it. */
  async begin(current: Identity): Promise<Pin> {
    if (this.#next === undefined) {
      const { CN } = new X509Certificate(current.certificatePem).toLegacyObject().subject;
      const { createIdentity } = await import('#host/identity/issueCertificate.ts');
      const next = await createIdentity({ commonName: String(CN) });
      saveNextIdentity(this.#options.folder, next);
      this.#next = next;
      this.#options.log.warn("Main's next key is announced", { pin: next.pin });
    }
    this.#options.announce(this.#next.pin);
    return this.#next.pin;
  }

  abandon(): void {
    dropNextIdentity(this.#options.folder);
    this.#forgetNext();
    this.#options.log.warn("Main's next key was dropped");
  }

  /** Puts the next key into use. @throws when there is none */
  switch(): Identity {
    if (this.#next === undefined) throw new Error('no next key was announced');
    const identity = switchIdentity(this.#options.folder);
    this.#forgetNext();
    this.#options.log.warn("Main's key was changed", { pin: identity.pin });
    return identity;
  }

  /** An agent has written the pin down. */
  learned(agent: Pin, pin: Pin): void {
    if (pin !== this.#next?.pin) return;
    const { registry } = this.#options;
    const name = registry.findByPin(agent)?.name ?? agent;
    this.#persistent.write(`that ${name} has received Main's next key`, () => {
      // Meanwhile it may have been dropped, or put into use.
      if (pin === this.#next?.pin) registry.recordKnowsNextMain(agent, pin);
    });
  }

  /** What could not be written down, for status. */
  get troubles(): { at: string; path: string; message: string }[] {
    return this.#persistent.troubles.map(({ what, at, why }) => ({
      at: new Date(at).toISOString(),
      path: this.#options.folder,
      message: `${what} can't be written: ${why}`,
    }));
  }

  close(): void {
    this.#persistent.close();
  }

  /** So has one that waits for approval. */
  learnedUnapproved(agent: Pin, pin: Pin): void {
    if (pin !== this.#next?.pin || this.#unapprovedKnow.has(agent)) return;
    // Who waits no longer makes room: any client may come and go here.
    const waiting = new Set(this.#options.registry.list().pending.map((each) => each.pin));
    for (const known of this.#unapprovedKnow) if (!waiting.has(known)) this.#unapprovedKnow.delete(known);
    this.#unapprovedKnow.add(agent);
  }

  #forgetNext(): void {
    this.#next = undefined;
    this.#unapprovedKnow.clear();
  }
}
