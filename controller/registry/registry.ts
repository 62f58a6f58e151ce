import { randomBytes } from 'node:crypto';
import { enrolmentVerifier } from '#host/identity/enrolmentProof.ts';
import { TOKEN_SECRET_BYTES } from '#host/identity/joinToken.ts';
import type { JoinToken } from '#host/identity/joinToken.ts';
import { samePin } from '#host/identity/pin.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Admitted } from './admit.ts';
import { refusal } from './transition.ts';
import type { RegistryAnswer, Transition } from './transition.ts';
import { approve, requestPending } from './pending.ts';
import type { Agent, Pending, RegistryState, Revoked, Token } from './records.ts';
import { RegistryFile } from './registryFile.ts';
import { forget } from './forget.ts';
import { remove } from './remove.ts';
import type { Removed } from './remove.ts';
import { addToken, enrolWithToken } from './tokens.ts';

/** A join token without Main's pin, which the caller adds. */
export type TokenParts = Omit<JoinToken, 'mainPin'>;

/**
 * The registry of MDS that may connect. Each change is durable before it returns; a change that can't be saved throws and
 * has no effect. All times are ms since 1970.
 *
 * Only the daemon has an instance: see {@link RegistryFile}.
 */
export class Registry {
  readonly #file: RegistryFile;
  #state: RegistryState;

  /**
   * @param folder the folder of `registry.json`
   * @throws RegistryFileError if the file is damaged
   */
  constructor(folder: string) {
    this.#file = new RegistryFile(folder);
    this.#state = this.#file.load();
  }

  /** Creates a join token. Its secret is only in the result and is not stored. Refused: see {@link addToken}. */
  addToken(options: {
    name: string;
    voipIp?: string;
    /** Lifetime, ms. */
    ttlMs: number;
    replace: boolean;
    now: number;
  }): RegistryAnswer<{ token: TokenParts }> {
    const { name, voipIp, ttlMs, replace, now } = options;
    const secret = randomBytes(TOKEN_SECRET_BYTES);
    const shown = {
      id: randomBytes(9).toString('base64url'),
      name,
      ...(voipIp === undefined ? {} : { voipIp }),
      // Whole seconds, as in the token's text, so that both sides use the same time.
      expiresAt: Math.floor((now + ttlMs) / 1000) * 1000,
    };
    const kept: Token = { ...shown, verifier: enrolmentVerifier(secret), replace };
    const outcome = this.#become(addToken(this.#state, kept, now));
    return outcome.ok ? { ok: true, token: { ...shown, secret } } : outcome;
  }

  /** Enrols an MDS with a token, and marks the token as used. Refused: see {@link enrolWithToken}. */
  enrolWithToken(request: {
    id: string;
    name: string;
    pin: Pin;
    /** The peer's address. */
    address: string;
    /** Checks the peer's proof against a verifier. */
    proofOk: (verifier: string) => boolean;
    now: number;
  }): RegistryAnswer<Admitted> {
    return this.#become(enrolWithToken(this.#state, request));
  }

  /** Adds a request to enrol without a token. Refused: see {@link requestPending}. */
  requestPending(request: {
    name: string;
    pin: Pin;
    address: string;
    now: number;
  }): RegistryAnswer<{ pending: Pending }> {
    return this.#become(requestPending(this.#state, request));
  }

  /** Admits the pending MDS of this name. */
  approve(name: string, now: number): RegistryAnswer<Admitted> {
    return this.#become(approve(this.#state, name, now));
  }

  /** Revokes the MDS, drops its request and withdraws its unused tokens. */
  remove(name: string, now: number): RegistryAnswer<Removed> {
    return this.#become(remove(this.#state, name, now));
  }

  /** Drops the record of a removed MDS. Refused: see {@link forget}. */
  forget(name: string): RegistryAnswer<{ name: string }> {
    return this.#become(forget(this.#state, name));
  }

  /** Notes the expiry of the certificate issued to this key. */
  recordCertificate(pin: Pin, notAfter: number): RegistryAnswer<{ agent: Agent }> {
    const agent = this.findByPin(pin);
    if (agent === undefined) return refusal('this key is not enrolled any more');
    const renewed: Agent = { ...agent, certificateNotAfter: notAfter };
    const agents = this.#state.agents.map((entry) => (entry === agent ? renewed : entry));
    return this.#become({ ok: true, state: { ...this.#state, agents }, result: { agent: renewed } });
  }

  /** Notes that this MDS has stored the pin of Main's next key. */
  recordKnowsNextMain(pin: Pin, nextMain: Pin): RegistryAnswer<{ agent: Agent }> {
    const agent = this.findByPin(pin);
    if (agent === undefined) return refusal('this key is not enrolled any more');
    if (agent.knowsNextMain === nextMain) return { ok: true, agent };
    const updated: Agent = { ...agent, knowsNextMain: nextMain };
    const agents = this.#state.agents.map((entry) => (entry === agent ? updated : entry));
    return this.#become({ ok: true, state: { ...this.#state, agents }, result: { agent: updated } });
  }

  /** The pending request of this key. */
  findPending(pin: Pin): Pending | undefined {
    return this.#state.pending.find((entry) => samePin(entry.pin, pin));
  }

  /** The last revocation of this key, with its name, if there was one. */
  findRevoked(pin: Pin): Revoked | undefined {
    return this.#state.revoked.findLast((entry) => samePin(entry.pin, pin));
  }

  /** The enrolled MDS with this key. */
  findByPin(pin: Pin): Agent | undefined {
    return this.#state.agents.find((agent) => samePin(agent.pin, pin));
  }

  /** Names of MDS that are enrolled, pending, or have a valid join token. @param now ms since 1970 */
  knownNames(now: number): ReadonlySet<string> {
    const { agents, pending, tokens } = this.#state;
    const open = tokens.filter(({ expiresAt }) => expiresAt > now);
    return new Set([...agents, ...pending, ...open].map(({ name }) => name));
  }

  /** The whole registry, for `mds list` and `status`. */
  list(): RegistryState {
    return this.#state;
  }

  #become<Result extends object>(transition: Transition<Result>): RegistryAnswer<Result> {
    if (!transition.ok) return transition;
    if (transition.state !== this.#state) {
      // Saved first, so that no answer is given that a power cut could revoke.
      this.#file.save(transition.state);
      this.#state = transition.state;
    }
    return { ok: true, ...transition.result };
  }
}
