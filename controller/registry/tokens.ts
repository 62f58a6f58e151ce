import { isIP } from 'node:net';
import { isMdsName, MDS_NAME_RULE } from '#core/mdsName.ts';
import type { Pin } from '#host/identity/pin.ts';
import { plainAddress, sameAddress } from './address.ts';
import { admit, alreadyEnrolled } from './admit.ts';
import type { Admitted } from './admit.ts';
import { LONGEST_TOKEN_MS, MOST_TOKENS, SPENT_TOKEN_KEPT_MS } from './limits.ts';
import { alarm, refusal } from './transition.ts';
import type { RegistryRefusal, Transition } from './transition.ts';
import type { RegistryState, Token } from './records.ts';

/** Adds a token. Refused when its name is enrolled already, unless the token is meant to replace that MDS. */
export function addToken(state: RegistryState, token: Token, now: number): Transition<{ token: Token }> {
  if (!isMdsName(token.name)) return refusal(`"${token.name}" is not a valid MDS name: ${MDS_NAME_RULE}`);
  if (token.voipIp !== undefined && isIP(token.voipIp) === 0) {
    return refusal(`"${token.voipIp}" is not an IP address`);
  }
  if (token.expiresAt <= now) return refusal('a join token must be valid for at least a second');
  if (!(token.expiresAt - now <= LONGEST_TOKEN_MS))
    return refusal('a join token can be valid for a year at most');
  if (!token.replace && state.agents.some((agent) => agent.name === token.name)) {
    return refusal(alreadyEnrolled(token.name));
  }
  const kept = withoutOldTokens(state, now);
  if (kept.tokens.length >= MOST_TOKENS) {
    return refusal(
      `${MOST_TOKENS} join tokens exist already: remove those not needed with "mds remove NAME"`,
    );
  }
  return { ok: true, state: { ...kept, tokens: [...kept.tokens, token] }, result: { token } };
}

/**
 * Enrols an MDS with a token, and marks the token as used.
 *
 * The proof is checked first: a peer with the token's id alone, which is not secret, raises no alarm and learns nothing.
 */
export function enrolWithToken(
  state: RegistryState,
  request: {
    id: string;
    name: string;
    pin: Pin;
    address: string;
    proofOk: (verifier: string) => boolean;
    now: number;
  },
): Transition<Admitted> {
  const { name, pin, now } = request;
  const address = plainAddress(request.address);
  const token = state.tokens.find(({ id }) => id === request.id);
  if (token === undefined || isForgotten(token, now)) {
    return refusal(
      'Main does not know this join token: it was withdrawn, or made on another Main, or expired long ago; ' +
        'make a new one with `xivo-xds-sync mds add NAME`',
    );
  }
  if (!request.proofOk(token.verifier)) {
    return refusal('the proof for the join token is wrong: copy the whole token again from Main');
  }
  const known = state.agents.find((agent) => agent.name === name && agent.pin === pin);
  // The same key repeats its own token: it did not get the answer (its connection or its power failed).
  if (token.usedAt !== undefined && token.name === name && known !== undefined)
    return { ok: true, state, result: { agent: known } };
  const no = whyNotNow(token, { name, address, now });
  if (no !== undefined) return no;

  const admitted = admit(state, {
    name,
    pin,
    ...(token.voipIp === undefined ? {} : { voipIp: token.voipIp }),
    replace: token.replace,
    now,
  });
  if (!admitted.ok) return admitted;
  const used: Token = { ...token, usedAt: now, usedBy: address };
  const tokens = admitted.state.tokens.map((entry) => (entry.id === token.id ? used : entry));
  return { ...admitted, state: withoutOldTokens({ ...admitted.state, tokens }, now) };
}

function whyNotNow(
  token: Token,
  request: { name: string; address: string; now: number },
): RegistryRefusal | undefined {
  const again = 'make a new one with "xivo-xds-sync mds add';
  if (token.usedAt !== undefined) {
    return alarm(
      `the join token was used by ${token.usedBy ?? 'someone'} at ${timeText(token.usedAt)}: if that was not this ` +
        `MDS, run "xivo-xds-sync mds remove ${token.name}" on Main; ${again} ${token.name} --replace"`,
    );
  }
  if (request.now >= token.expiresAt) {
    return refusal(`the join token expired at ${timeText(token.expiresAt)}: ${again} ${token.name}"`);
  }
  if (request.name !== token.name) {
    return refusal(
      `the join token is for ${token.name}, not for ${request.name}: enrol as ${token.name}, ` +
        `or ${again} ${request.name}"`,
    );
  }
  if (token.voipIp !== undefined && !sameAddress(token.voipIp, request.address)) {
    return alarm(
      `the join token is for the VoIP IP ${token.voipIp}, and this connection comes from ${request.address}: ` +
        `connect from that address, or ${again} ${token.name} --voip-ip ${request.address}"`,
    );
  }
  return undefined;
}

function withoutOldTokens(state: RegistryState, now: number): RegistryState {
  return { ...state, tokens: state.tokens.filter((token) => !isForgotten(token, now)) };
}

function isForgotten(token: Token, now: number): boolean {
  return now >= (token.usedAt ?? token.expiresAt) + SPENT_TOKEN_KEPT_MS;
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
