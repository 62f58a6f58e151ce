import { randomBytes } from 'node:crypto';
import { enrolmentVerifier } from '#host/identity/enrolmentProof.ts';
import { TOKEN_SECRET_BYTES } from '#host/identity/joinToken.ts';
import type { JoinToken } from '#host/identity/joinToken.ts';
import { samePin } from '#host/identity/pin.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Admitted } from './admit.ts';
import { refusal } from './outcome.ts';
import type { Outcome, Transition } from './outcome.ts';
import { approve, requestPending } from './pending.ts';
import type { Agent, Pending, RegistryState, Revoked, Token } from './records.ts';
import { RegistryFile } from './registryFile.ts';
import { forget } from './forget.ts';
import { remove } from './remove.ts';
import type { Removed } from './remove.ts';
import { addToken, enrolWithToken } from './tokens.ts';

/** All of a join token but Main's pin, which whoever prints the token adds. */
export type TokenParts = Omit<JoinToken, 'mainPin'>;

/**
 * Who may connect. Each change is durable before its answer is returned; a change that can't be saved throws and
 * leaves everything as it was. All times are ms since 1970.
 *
 * Only the daemon has one: see {@link RegistryFile}.
 */
export class Registry {
  readonly #file: RegistryFile;
  #state: RegistryState;

  /**
   * @param folder where `registry.json` lies or will lie
   * @throws RegistryFileError if the file is damaged
   */
  constructor(folder: string) {
    this.#file = new RegistryFile(folder);
    this.#state = this.#file.load();
  }

  /** Makes a join token. Its secret is in the answer and nowhere else. Refused: see {@link addToken}. */
  addToken(options: {
    name: string;
    voipIp?: string;
    /** How long it holds, in ms. */
    ttlMs: number;
    replace: boolean;
    now: number;
  }): Outcome<{ token: TokenParts }> {
    const { name, voipIp, ttlMs, replace, now } = options;
    const secret = randomBytes(TOKEN_SECRET_BYTES);
    const shown = {
      id: randomBytes(9).toString('base64url'),
      name,
      ...(voipIp === undefined ? {} : { voipIp }),
      // Whole seconds, as the token's text has them, so that both sides mean the same moment.
      expiresAt: Math.floor((now + ttlMs) / 1000) * 1000,
    };
    const kept: Token = { ...shown, verifier: enrolmentVerifier(secret), replace };
    const outcome = this.#become(addToken(this.#state, kept, now));
    return outcome.ok ? { ok: true, token: { ...shown, secret } } : outcome;
  }

  /** Enrols an MDS that brings a token, and uses the token up. Refused: see {@link enrolWithToken}. */
  enrolWithToken(request: {
    id: string;
    name: string;
    pin: Pin;
    /** Where the connection comes from. */
    address: string;
    /** Whether the peer's proof fits this verifier. */
    proofOk: (verifier: string) => boolean;
    now: number;
  }): Outcome<Admitted> {
    return this.#become(enrolWithToken(this.#state, request));
  }

  /** Notes that an MDS without a token wants to enrol. Refused: see {@link requestPending}. */
  requestPending(request: {
    name: string;
    pin: Pin;
    address: string;
    now: number;
  }): Outcome<{ pending: Pending }> {
    return this.#become(requestPending(this.#state, request));
  }

  /** Admits the MDS that waits under this name. */
  approve(name: string, now: number): Outcome<Admitted> {
    return this.#become(approve(this.#state, name, now));
  }

  /** Revokes the MDS, drops its request and withdraws its unused tokens. */
  remove(name: string, now: number): Outcome<Removed> {
    return this.#become(remove(this.#state, name, now));
  }

  /** Drops the memory of an MDS that was removed. Refused: see {@link forget}. */
  forget(name: string): Outcome<{ name: string }> {
    return this.#become(forget(this.#state, name));
  }

  /** Notes until when the certificate holds that Main issued to this key. */
  recordCertificate(pin: Pin, notAfter: number): Outcome<{ agent: Agent }> {
    const agent = this.findByPin(pin);
    if (agent === undefined) return refusal('this key is not enrolled any more');
    const renewed: Agent = { ...agent, certificateNotAfter: notAfter };
    const agents = this.#state.agents.map((entry) => (entry === agent ? renewed : entry));
    return this.#become({ ok: true, state: { ...this.#state, agents }, result: { agent: renewed } });
  }

  /** Notes that this MDS will know Main by its next key. */
  recordKnowsNextMain(pin: Pin, nextMain: Pin): Outcome<{ agent: Agent }> {
    const agent = this.findByPin(pin);
    if (agent === undefined) return refusal('this key is not enrolled any more');
    if (agent.knowsNextMain === nextMain) return { ok: true, agent };
    const told: Agent = { ...agent, knowsNextMain: nextMain };
    const agents = this.#state.agents.map((entry) => (entry === agent ? told : entry));
    return this.#become({ ok: true, state: { ...this.#state, agents }, result: { agent: told } });
  }

  /** The MDS that waits for approval with this key. */
  findPending(pin: Pin): Pending | undefined {
    return this.#state.pending.find((entry) => samePin(entry.pin, pin));
  }

  /** When this key was last taken out, and under which name, if it was. */
  findRevoked(pin: Pin): Revoked | undefined {
    return this.#state.revoked.findLast((entry) => samePin(entry.pin, pin));
  }

  /** The MDS that may connect with this key. */
  findByPin(pin: Pin): Agent | undefined {
    return this.#state.agents.find((agent) => samePin(agent.pin, pin));
  }

  /** Names of MDS that are enrolled, ask to be, or have a join token that still holds. @param now ms since 1970 */
  knownNames(now: number): ReadonlySet<string> {
    const { agents, pending, tokens } = this.#state;
    const open = tokens.filter(({ expiresAt }) => expiresAt > now);
    return new Set([...agents, ...pending, ...open].map(({ name }) => name));
  }

  /** Everything there is, for `mds list` and `status`. */
  list(): RegistryState {
    return this.#state;
  }

  #become<Result extends object>(transition: Transition<Result>): Outcome<Result> {
    if (!transition.ok) return transition;
    if (transition.state !== this.#state) {
      // Saved first: an answer that a power cut could take back must not be given.
      this.#file.save(transition.state);
      this.#state = transition.state;
    }
    return { ok: true, ...transition.result };
  }
}
