import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  MOST_PENDING,
  MOST_PENDING_FROM_ONE_ADDRESS,
  MOST_TOKENS,
  SPENT_TOKEN_KEPT_MS,
} from '../../../../controller/registry/limits.ts';
import type { RegistryAnswer, RegistryRefusal } from '../../../../controller/registry/transition.ts';
import { EMPTY_REGISTRY } from '../../../../controller/registry/records.ts';
import type { Pending, RegistryState, Token } from '../../../../controller/registry/records.ts';
import { Registry } from '../../../../controller/registry/registry.ts';
import type { TokenParts } from '../../../../controller/registry/registry.ts';
import { RegistryFileError } from '../../../../controller/registry/registryFile.ts';
import { enrolmentVerifier } from '#host/identity/enrolmentProof.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const PIN = 'a1'.repeat(32);
const OTHER_PIN = 'b2'.repeat(32);
const ADDRESS = '192.0.2.7';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xds-registry-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'identity');
}

function registryFor(t: TestContext): Registry {
  return new Registry(folderFor(t));
}

function accepted<Result>(outcome: RegistryAnswer<Result>): { readonly ok: true } & Result {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refused);
  return outcome;
}

function refused(outcome: RegistryAnswer<unknown>, words: RegExp): RegistryRefusal {
  assert.ok(!outcome.ok, 'was not refused');
  assert.match(outcome.refused, words);
  return outcome;
}

type TokenWish = { name?: string; voipIp?: string; replace?: boolean; ttlMs?: number; now?: number };

function tokenFrom(registry: Registry, wish: TokenWish = {}): TokenParts {
  const options = { name: 'mds1', ttlMs: HOUR, replace: false, now: NOW, ...wish };
  return accepted(registry.addToken(options)).token;
}

type Enrolment = Partial<Parameters<Registry['enrolWithToken']>[0]>;

/** An MDS that holds the token enrols with it, but for what `differing` says. */
function enrol(
  registry: Registry,
  token: TokenParts,
  differing: Enrolment = {},
): ReturnType<Registry['enrolWithToken']> {
  return registry.enrolWithToken({
    id: token.id,
    name: token.name,
    pin: PIN,
    address: ADDRESS,
    proofOk: (verifier) => verifier === enrolmentVerifier(token.secret),
    now: NOW,
    ...differing,
  });
}

/** Writes a registry as an earlier run could have left it. */
function registryWith(t: TestContext, state: Partial<RegistryState>): Registry {
  const folder = folderFor(t);
  accepted(new Registry(folder).addToken({ name: 'x', ttlMs: HOUR, replace: false, now: NOW }));
  writeFileSync(join(folder, 'registry.json'), JSON.stringify({ ...EMPTY_REGISTRY, ...state }));
  return new Registry(folder);
}

void test('an MDS enrols with a token, and is known by its pin, also after a restart', (t) => {
  const folder = folderFor(t);
  const registry = new Registry(folder);
  const { agent, replacedPin } = accepted(enrol(registry, tokenFrom(registry, { voipIp: ADDRESS })));
  assert.deepEqual(agent, { name: 'mds1', pin: PIN, voipIp: ADDRESS, enrolledAt: NOW });
  assert.equal(replacedPin, undefined);
  assert.deepEqual(new Registry(folder).findByPin(PIN), agent);
  assert.equal(new Registry(folder).findByPin(OTHER_PIN), undefined);
});

void test('a token expires at a whole second, as its text says', (t) => {
  assert.equal(tokenFrom(registryFor(t), { now: NOW + 250 }).expiresAt, NOW + HOUR);
});

void test('the secret of a token is nowhere on disk', (t) => {
  const folder = folderFor(t);
  const { secret } = tokenFrom(new Registry(folder));
  const text = readFileSync(join(folder, 'registry.json'), 'utf8');
  for (const form of ['base64url', 'base64', 'hex'] as const)
    assert.ok(!text.includes(secret.toString(form)));
});

void test('only the owner can read the registry', (t) => {
  const folder = folderFor(t);
  tokenFrom(new Registry(folder));
  assert.equal(statSync(folder).mode & 0o7777, 0o700);
  assert.equal(statSync(join(folder, 'registry.json')).mode & 0o7777, 0o600);
});

void test('an unknown token is refused', (t) => {
  const registry = registryFor(t);
  refused(enrol(registry, tokenFrom(registry), { id: 'unknown' }), /does not know this join token/);
});

void test('a token used again is refused with who used it and when, and is an alarm, also after a restart', (t) => {
  const folder = folderFor(t);
  const registry = new Registry(folder);
  const token = tokenFrom(registry);
  accepted(enrol(registry, token));
  for (const now of [NOW + 1, NOW + SPENT_TOKEN_KEPT_MS - 1]) {
    const again = enrol(new Registry(folder), token, { pin: OTHER_PIN, address: '192.0.2.66', now });
    assert.ok(refused(again, /was used by 192\.0\.2\.7 at 2027-01-15T08:00:00\.000Z/).alarm);
  }
  assert.equal(registry.findByPin(OTHER_PIN), undefined);
});

void test('someone who knows a used token by its id only raises no alarm', (t) => {
  const registry = registryFor(t);
  const token = tokenFrom(registry);
  accepted(enrol(registry, token));
  assert.ok(!refused(enrol(registry, token, { proofOk: () => false }), /proof .* is wrong/).alarm);
});

void test('a token is refused from the moment it expires, and says when that was', (t) => {
  const registry = registryFor(t);
  const token = tokenFrom(registry);
  refused(enrol(registry, token, { now: NOW + HOUR }), /expired at 2027-01-15T09:00:00\.000Z/);
  accepted(enrol(registry, token, { now: NOW + HOUR - 1 }));
});

void test('a token is refused for another name, with a wrong proof and from another VoIP IP, and can be used still', (t) => {
  const registry = registryFor(t);
  const token = tokenFrom(registry, { voipIp: ADDRESS });
  refused(enrol(registry, token, { name: 'mds2' }), /is for mds1, not for mds2/);
  refused(enrol(registry, token, { proofOk: () => false }), /proof .* is wrong/);
  const elsewhere = refused(enrol(registry, token, { address: '192.0.2.8' }), /192\.0\.2\.7.*192\.0\.2\.8/);
  assert.ok(elsewhere.alarm);
  accepted(enrol(registry, token));
});

void test('an address is the same however it is written', (t) => {
  const registry = registryFor(t);
  const four = tokenFrom(registry, { voipIp: '192.0.2.7' });
  accepted(enrol(registry, four, { address: '::ffff:192.0.2.7' }));
  const six = tokenFrom(registry, { name: 'mds2', voipIp: '2001:DB8:0:0::7' });
  accepted(enrol(registry, six, { pin: OTHER_PIN, address: '2001:db8::7' }));
});

void test('a token for an enrolled name is refused, and made with replace', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry)));
  refused(
    registry.addToken({ name: 'mds1', ttlMs: HOUR, replace: false, now: NOW }),
    /^mds1 is already enrolled: use --replace to enrol it again, for a reinstalled MDS$/,
  );
  tokenFrom(registry, { replace: true });
});

void test('of two tokens for one name only the first used enrols', (t) => {
  const registry = registryFor(t);
  const [one, two] = [tokenFrom(registry), tokenFrom(registry)];
  accepted(enrol(registry, one));
  refused(enrol(registry, two, { pin: OTHER_PIN }), /already enrolled: use --replace/);
  assert.equal(registry.findByPin(PIN)?.name, 'mds1');
});

void test('replacing revokes the old key and marks the new MDS, whose first pass then only adds', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry)));
  const token = tokenFrom(registry, { replace: true });
  const { agent, replacedPin } = accepted(enrol(registry, token, { pin: OTHER_PIN, now: NOW + 5 }));
  assert.equal(replacedPin, PIN);
  assert.deepEqual(agent, { name: 'mds1', pin: OTHER_PIN, enrolledAt: NOW + 5, replacedAt: NOW + 5 });
  assert.equal(registry.findByPin(PIN), undefined);
  assert.deepEqual(registry.list().revoked, [{ name: 'mds1', pin: PIN, at: NOW + 5 }]);
});

void test('replacing an MDS that kept its key revokes nothing, and marks it all the same', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry)));
  const { agent, replacedPin } = accepted(enrol(registry, tokenFrom(registry, { replace: true })));
  assert.equal(replacedPin, undefined);
  assert.equal(agent.replacedAt, NOW);
  assert.deepEqual(registry.list().revoked, []);
});

void test('a name that was removed and comes again is marked too, whatever became of its old key', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry)));
  accepted(registry.remove('mds1', NOW));
  const moved = accepted(enrol(registry, tokenFrom(registry, { name: 'mds2' })));
  assert.equal(moved.agent.replacedAt, undefined);
  const again = accepted(enrol(registry, tokenFrom(registry), { pin: OTHER_PIN, now: NOW + 1 }));
  assert.equal(again.agent.replacedAt, NOW + 1);
});

void test('a key has one name', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry)));
  const second = tokenFrom(registry, { name: 'mds2' });
  refused(enrol(registry, second), /already enrolled, as mds1/);
  accepted(enrol(registry, second, { pin: OTHER_PIN }));
});

void test('no token is made for an invalid name, address or time', (t) => {
  const registry = registryFor(t);
  const wish = { name: 'mds1', ttlMs: HOUR, replace: false, now: NOW };
  refused(registry.addToken({ ...wish, name: '../mds' }), /not a valid MDS name/);
  refused(registry.addToken({ ...wish, voipIp: 'mds1.local' }), /not an IP address/);
  refused(registry.addToken({ ...wish, ttlMs: 0 }), /at least a second/);
  for (const ttlMs of [Number.NaN, Infinity, 366 * 24 * HOUR]) {
    refused(registry.addToken({ ...wish, ttlMs }), /a year at most/);
  }
  assert.deepEqual(registry.list(), EMPTY_REGISTRY);
});

void test('used and expired tokens stay listed for 30 days, then vanish', (t) => {
  const registry = registryFor(t);
  const used = tokenFrom(registry);
  accepted(enrol(registry, used));
  const expired = tokenFrom(registry, { name: 'mds2' });
  const later = NOW + SPENT_TOKEN_KEPT_MS;
  const idsAfterAdding = (name: string, now: number): string[] => {
    tokenFrom(registry, { name, now });
    return registry.list().tokens.map(({ id }) => id);
  };
  const before = idsAfterAdding('mds3', later - 1);
  assert.ok(before.includes(used.id) && before.includes(expired.id));
  const between = idsAfterAdding('mds4', later + HOUR - 1);
  assert.ok(!between.includes(used.id) && between.includes(expired.id));
  assert.ok(!idsAfterAdding('mds5', later + HOUR).includes(expired.id));
  refused(enrol(registry, used, { pin: OTHER_PIN, now: later }), /does not know this join token/);
});

void test('a machine without a token waits until a person approves it', (t) => {
  const folder = folderFor(t);
  const registry = new Registry(folder);
  const { pending } = accepted(
    registry.requestPending({ name: 'mds1', pin: PIN, address: '::ffff:192.0.2.7', now: NOW }),
  );
  assert.deepEqual(pending, { name: 'mds1', pin: PIN, address: ADDRESS, at: NOW });
  assert.equal(registry.findByPin(PIN), undefined);
  const { agent } = accepted(new Registry(folder).approve('mds1', NOW + 9));
  assert.deepEqual(agent, { name: 'mds1', pin: PIN, enrolledAt: NOW + 9 });
  assert.deepEqual(new Registry(folder).list().pending, []);
});

void test('an MDS that is not waiting can not be approved', (t) => {
  refused(registryFor(t).approve('mds1', NOW), /no MDS is waiting to enrol as mds1/);
});

void test('a waiting name can not be taken over by another key, only dropped', (t) => {
  const registry = registryFor(t);
  const request = { name: 'mds1', pin: PIN, address: ADDRESS, now: NOW };
  accepted(registry.requestPending(request));
  refused(
    registry.requestPending({ ...request, pin: OTHER_PIN, address: '192.0.2.66' }),
    /192\.0\.2\.7.*mds remove mds1/,
  );
  assert.partialDeepStrictEqual(accepted(registry.remove('mds1', NOW)), { pins: [PIN], was: 'pending' });
  accepted(registry.requestPending({ ...request, pin: OTHER_PIN }));
  assert.equal(accepted(registry.approve('mds1', NOW)).agent.pin, OTHER_PIN);
});

void test('asking again with the same key changes the address and not the time, and another name moves the request', (t) => {
  const registry = registryFor(t);
  const request = { name: 'mds1', pin: PIN, address: ADDRESS, now: NOW };
  accepted(registry.requestPending(request));
  const before = registry.list();
  accepted(registry.requestPending({ ...request, now: NOW + 1 }));
  assert.equal(registry.list(), before);
  accepted(registry.requestPending({ ...request, address: '192.0.2.9', now: NOW + 2 }));
  assert.deepEqual(registry.list().pending, [{ name: 'mds1', pin: PIN, address: '192.0.2.9', at: NOW }]);
  accepted(registry.requestPending({ ...request, name: 'mds2', now: NOW + 3 }));
  assert.deepEqual(registry.list().pending, [{ name: 'mds2', pin: PIN, address: ADDRESS, at: NOW + 3 }]);
});

void test('an enrolled name, an enrolled key and an impossible name do not wait', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry)));
  const request = { name: 'mds1', pin: OTHER_PIN, address: ADDRESS, now: NOW };
  refused(registry.requestPending(request), /mds1 is already enrolled: use --replace/);
  refused(registry.requestPending({ ...request, name: 'mds2', pin: PIN }), /already enrolled, as mds1/);
  refused(registry.requestPending({ ...request, name: '' }), /not a valid MDS name/);
});

void test('a request for a name that was enrolled with a token meanwhile is gone', (t) => {
  const registry = registryFor(t);
  accepted(registry.requestPending({ name: 'mds1', pin: OTHER_PIN, address: ADDRESS, now: NOW }));
  accepted(enrol(registry, tokenFrom(registry)));
  refused(registry.approve('mds1', NOW), /no MDS is waiting/);
});

void test('removing revokes the key and withdraws the tokens that would let it in again', (t) => {
  const registry = registryFor(t);
  const used = tokenFrom(registry);
  accepted(enrol(registry, used));
  const unused = tokenFrom(registry, { replace: true });
  assert.partialDeepStrictEqual(accepted(registry.remove('mds1', NOW + 3)), { pins: [PIN], was: 'enrolled' });
  assert.equal(registry.findByPin(PIN), undefined);
  assert.deepEqual(registry.list().revoked, [{ name: 'mds1', pin: PIN, at: NOW + 3 }]);
  refused(enrol(registry, unused), /does not know this join token/);
  assert.ok(refused(enrol(registry, used), /was used by/).alarm);
  refused(registry.remove('mds1', NOW + 4), /mds1 was removed already/);
});

void test('removing an MDS that only has a join token withdraws that, and no key', (t) => {
  const registry = registryFor(t);
  const unused = tokenFrom(registry);
  assert.partialDeepStrictEqual(accepted(registry.remove('mds1', NOW)), { pins: [], was: 'token' });
  refused(enrol(registry, unused), /does not know this join token/);
});

void test('removing an unknown MDS is refused', (t) => {
  refused(registryFor(t).remove('mds9', NOW), /there is no MDS "mds9"/);
});

void test('the end of the certificate is remembered for an enrolled key only', (t) => {
  const folder = folderFor(t);
  const registry = new Registry(folder);
  accepted(enrol(registry, tokenFrom(registry)));
  accepted(registry.recordCertificate(PIN, NOW + 90 * 24 * HOUR));
  assert.equal(new Registry(folder).findByPin(PIN)?.certificateNotAfter, NOW + 90 * 24 * HOUR);
  refused(registry.recordCertificate(OTHER_PIN, NOW), /not enrolled any more/);
});

void test('the number of waiting requests and of tokens is limited', (t) => {
  const pending = Array.from({ length: MOST_PENDING }, (_, index): Pending => {
    const address = `198.51.${index >> 8}.${index & 255}`;
    return { name: `m${index}`, pin: index.toString(16).padStart(64, '0'), address, at: NOW };
  });
  const tokens = Array.from({ length: MOST_TOKENS }, (_, index): Token => {
    const verifier = enrolmentVerifier(Buffer.alloc(16));
    return { id: `t${index}`, verifier, name: 'mds7', expiresAt: NOW + HOUR, replace: false };
  });
  const registry = registryWith(t, { pending, tokens });
  const request = { name: 'mds1', pin: PIN, address: ADDRESS, now: NOW };
  refused(registry.requestPending(request), /1000 machines are already waiting/);
  refused(registry.addToken({ name: 'mds1', ttlMs: HOUR, replace: false, now: NOW }), /1000 join tokens/);
  accepted(registry.remove('m5', NOW));
  accepted(registry.requestPending(request));
  accepted(registry.remove('mds7', NOW));
  tokenFrom(registry, { name: 'mds2' });
});

void test('one address can not use up all places for waiting requests', (t) => {
  const registry = registryWith(t, {});
  for (let i = 0; i < MOST_PENDING_FROM_ONE_ADDRESS; i++) {
    const pin = i.toString(16).padStart(64, '0');
    accepted(registry.requestPending({ name: `m${i}`, pin, address: ADDRESS, now: NOW }));
  }
  const request = { name: 'mds1', pin: PIN, address: ADDRESS, now: NOW };
  refused(registry.requestPending(request), /20 machines at 192\.0\.2\.7 are already waiting/);
  accepted(registry.requestPending({ ...request, address: '192.0.2.99' }));
});

void test('a damaged registry is an error that names the file, what is wrong and the remedy', (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'registry.json');
  const registry = new Registry(folder);
  accepted(enrol(registry, tokenFrom(registry)));
  const good = registry.list();
  const twice = { ...good, agents: [...good.agents, { ...good.agents[0], pin: OTHER_PIN }] };
  const damages: [string, RegExp][] = [
    ['', /JSON/],
    ['{"version":1', /JSON/],
    ['{"version":1}', /agents/],
    [JSON.stringify({ ...good, surprise: 1 }), /surprise/],
    [JSON.stringify({ ...good, agents: [{ ...good.agents[0], pin: 'AB' }] }), /agents\[0\]\.pin/],
    [JSON.stringify(twice), /has an MDS name twice/],
  ];
  for (const [text, why] of damages) {
    writeFileSync(path, text);
    assert.throws(
      () => new Registry(folder),
      (error) => {
        assert.ok(error instanceof RegistryFileError);
        assert.match(error.message, why);
        return error.message.includes(path) && error.message.includes('xivo-xds-sync restore FILE');
      },
    );
    assert.equal(readFileSync(path, 'utf8'), text);
  }
});

void test('what something else wrote is not undone: nothing is saved, and nothing changes in memory', (t) => {
  const folder = folderFor(t);
  const registry = new Registry(folder);
  const token = tokenFrom(registry);
  const foreign = JSON.stringify(EMPTY_REGISTRY);
  writeFileSync(join(folder, 'registry.json'), foreign);
  assert.throws(() => enrol(registry, token), /changed by something other than the running daemon/);
  assert.equal(registry.findByPin(PIN), undefined);
  assert.equal(readFileSync(join(folder, 'registry.json'), 'utf8'), foreign);
});

void test('an enrolment that can not be saved does not happen, and can be done once saving works again', (t) => {
  const folder = folderFor(t);
  const registry = new Registry(folder);
  const token = tokenFrom(registry);
  renameSync(folder, `${folder}.away`);
  writeFileSync(folder, 'in the way');
  assert.throws(() => enrol(registry, token), /EEXIST|ENOTDIR/);
  assert.equal(registry.findByPin(PIN), undefined);
  rmSync(folder);
  renameSync(`${folder}.away`, folder);
  accepted(enrol(registry, token));
});

void test('a name of an object method is a name like any other', (t) => {
  const registry = registryFor(t);
  accepted(enrol(registry, tokenFrom(registry, { name: 'constructor' })));
  assert.equal(registry.findByPin(PIN)?.name, 'constructor');
});
