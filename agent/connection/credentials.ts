import type { TLSSocket } from 'node:tls';
import type { EnrolAnswer } from '#protocol/messages/enrolment.ts';
import { PROTOCOL } from '#protocol/version.ts';
import type { HostPort } from '#host/config/hostPort.ts';
import { type Identity, renewalPoint } from '#host/identity/certificate.ts';
import { saveIdentity } from '#host/identity/identityFiles.ts';
import { type Pin, pinOfCertificate, samePin } from '#host/identity/pin.ts';
import { RetryingWriter } from '#host/fs/retryingWriter.ts';
import type { Logger } from '#host/log/logger.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { askMain } from './askMain.ts';
import { dial, type Dialled, type DialOptions, dialPlain, DialRefused } from './dial.ts';
import { type Membership, saveMembership } from './membership.ts';

/** Interval of the check whether a renewal is due, and of its retries, milliseconds. */
const LOOK_EVERY = 3_600_000;
const TRY_AGAIN = 60_000;
const SHORTEST_WAIT = 500;

export type CredentialsOptions = {
  readonly folder: string;
  readonly main: HostPort;
  readonly localAddress: string | undefined;
  readonly identity: Identity;
  readonly membership: Membership;
  readonly clock: Clock;
  /** Connects to Main: over the network when absent. */
  readonly dialMain?: (options: DialOptions) => Promise<Pick<Dialled, 'socket' | 'mainPin'>>;
  readonly log: Logger;
};

type Enrolled = Extract<EnrolAnswer, { type: 'enrolled' }>;

/**
 * The credentials of this MDS: its key, which stays, its certificate, which is renewed, and Main's pin, which Main may
 * change over a session under the old one.
 */
export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #persistent: RetryingWriter;
  #identity: Identity;
  #membership: Membership;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#persistent = new RetryingWriter(options.log);
    this.#identity = options.identity;
    this.#membership = options.membership;
  }

  get name(): string {
    return this.#membership.name;
  }

  get approved(): boolean {
    return this.#membership.approved;
  }

  /** Files that could not be written, for status. */
  get troubles(): { at: string; path: string; message: string }[] {
    return this.#persistent.troubles.map(({ what, at, why }) => ({
      at: new Date(at).toISOString(),
      path: this.#options.folder,
      message: `${what} can't be written: ${why}`,
    }));
  }

  get pins(): { readonly mainPin: Pin; readonly agentPin: Pin } {
    return { mainPin: this.#membership.mainPin, agentPin: this.#identity.pin };
  }

  /**
   * Opens a connection for a session; renews the certificate first if Main requests that.
   * @throws what {@link dial} throws
   */
  async connect(signal?: AbortSignal): Promise<Pick<Dialled, 'socket'>> {
    try {
      return await this.#dial('/agent', signal);
    } catch (error) {
      if (!(error instanceof DialRefused) || !error.renew) throw error;
      await this.renew(signal);
      return this.#dial('/agent', signal);
    }
  }

  /**
   * Requests a new certificate for the enrolled key.
   * @returns Main's answer; undefined while the enrolment waits for a person's approval on Main
   * @throws DialRefused when the key is not enrolled or was revoked; what {@link dial} throws
   */
  async renew(signal?: AbortSignal): Promise<Enrolled | undefined> {
    const answer = await this.#ask('renew', signal);
    if (answer.type === 'pending') {
      // An MDS that waits for approval has no session in which Main could announce it.
      if (answer.nextIdentity !== undefined) this.learnNextMain(answer.nextIdentity);
      return undefined;
    }
    if (answer.type !== 'enrolled') throw refusal(answer);
    if (!samePin(pinOfCertificate(answer.certificate), this.#identity.pin)) {
      throw new Error(
        'Main answered with a certificate for another key: check that both sides run the same version',
      );
    }
    this.#identity = { ...this.#identity, certificatePem: answer.certificate };
    // Valid for this run even when it can't be written.
    this.#persistent.write('the renewed certificate', () =>
      saveIdentity(this.#options.folder, this.#identity),
    );
    if (!this.#membership.approved) this.#become({ ...this.#membership, approved: true });
    return answer;
  }

  /** A connection to Main for plain HTTPS. @throws what {@link dialPlain} throws */
  async connectPlain(): Promise<TLSSocket> {
    const { main, localAddress } = this.#options;
    const { keyPem, certificatePem } = this.#identity;
    const mainPins = [this.#membership.mainPin];
    return (await dialPlain({ main, keyPem, certificatePem, mainPins, localAddress })).tls;
  }

  /** Asks Main to remove this MDS. @throws when Main can't be reached or refuses */
  async leave(): Promise<void> {
    const answer = await this.#ask('leave');
    if (answer.type !== 'left') throw refusal(answer);
  }

  /** Stores the pin of Main's next key. @param onLearnt called once it is durable, at once or later */
  learnNextMain(pin: Pin, onLearnt: () => void = () => undefined): void {
    this.#persistent.write("Main's next key", () => {
      if (this.#membership.nextMainPin !== pin && this.#membership.mainPin !== pin) {
        this.#become({ ...this.#membership, nextMainPin: pin });
        this.#options.log.warn('Main will change its key', { nextFingerprint: pin });
      }
      onLearnt();
    });
  }

  /** Renews the certificate when due, independently of the session. Ends with the signal. */
  async keepRenewed(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      const due = renewalPoint(this.#identity.certificatePem) - clock.now();
      await pause(clock, Math.max(SHORTEST_WAIT, Math.min(due, LOOK_EVERY)), signal);
      if (signal.aborted) return;
      if (clock.now() < renewalPoint(this.#identity.certificatePem)) continue;
      try {
        await this.renew(signal);
        log.info('certificate renewed');
      } catch (error) {
        if (signal.aborted) return;
        log.warn('certificate was not renewed', { error });
        await pause(clock, TRY_AGAIN, signal);
      }
    }
  }

  async #ask(type: 'renew' | 'leave', signal?: AbortSignal): Promise<EnrolAnswer> {
    const dialled = await this.#dial('/enrol', signal);
    const { name, nextMainPin } = this.#membership;
    const request = { protocol: PROTOCOL, name };
    if (type === 'leave')
      return askMain(dialled, { type, ...request }, { clock: this.#options.clock, signal });
    return askMain(
      dialled,
      { type, ...request, knowsIdentity: nextMainPin },
      { clock: this.#options.clock, signal },
    );
  }

  async #dial(path: '/agent' | '/enrol', signal?: AbortSignal): Promise<Pick<Dialled, 'socket'>> {
    const { main, localAddress, clock, dialMain = dial } = this.#options;
    const { keyPem, certificatePem } = this.#identity;
    const { mainPin, nextMainPin } = this.#membership;
    const mainPins = nextMainPin === undefined ? [mainPin] : [mainPin, nextMainPin];
    const to = { main, path, mainPins, localAddress };
    const dialled = await dialMain({ ...to, keyPem, certificatePem, signal, clock });
    // The announced key is in use, so the old one is no longer trusted.
    if (nextMainPin !== undefined && samePin(dialled.mainPin, nextMainPin)) {
      const { name, approved } = this.#membership;
      this.#membership = { name, approved, mainPin: nextMainPin };
      this.#options.log.warn('Main has changed its key', { fingerprint: nextMainPin });
      this.#persistent.write("Main's key", () => saveMembership(this.#options.folder, this.#membership));
    }
    return dialled;
  }

  #become(membership: Membership): void {
    saveMembership(this.#options.folder, membership);
    this.#membership = membership;
  }
}

function refusal(answer: EnrolAnswer): DialRefused {
  return new DialRefused(
    `Main refused: ${answer.type === 'refused' ? answer.reason : `it answered "${answer.type}"`}`,
  );
}
