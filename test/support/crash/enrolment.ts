import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { loadMembership, saveMembership } from '../../../agent/connection/membership.ts';
import {
  dropNextIdentity,
  finishSwitch,
  loadNextIdentity,
  saveNextIdentity,
  switchIdentity,
} from '../../../controller/enrolment/nextIdentity.ts';
import { Registry } from '../../../controller/registry/registry.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { firstIdentity } from '#host/identity/firstIdentity.ts';
import { loadIdentity, saveIdentity } from '#host/identity/identityFiles.ts';
import { cutsOf } from './cuts.ts';
import { makeReal } from './freshDisk.ts';
import { tell } from './scenario.ts';
import type { record, stopRecording } from './systemCalls.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

/**
 * Cuts Main's power and the MDS's at every moment of an enrolment, of a change of Main's key and of a removal, and
 * starts again from what is left.
 * @returns how many different states there were
 */
export async function enrolmentCuts(
  folder: string,
  seed: number,
  watch: { record: typeof record; stopRecording: typeof stopRecording },
): Promise<number> {
  const source = { main: path.join(folder, 'main/identity'), mds: path.join(folder, 'mds/identity') };
  for (const each of Object.values(source)) mkdirSync(each, { recursive: true });
  const [first, second, agent] = await Promise.all(
    ['main', 'main', 'mds1'].map((commonName) => createIdentity({ commonName })),
  );
  assert.ok(first && second && agent);
  const recording = watch.record(
    new Map([
      ['main', [path.dirname(source.main)]],
      ['mds', [path.dirname(source.mds)]],
    ]),
    new Map(),
  );
  let token: { id: string };
  try {
    saveIdentity(source.main, first);
    const registry = new Registry(source.main);
    const made = registry.addToken({ name: 'mds1', ttlMs: HOUR, replace: false, now: NOW });
    assert.ok(made.ok);
    ({ token } = made);
    recording.took('token', token.id);
    saveIdentity(source.mds, agent);
    assert.ok(registry.enrolWithToken(enrolling(token.id, agent.pin)).ok);
    recording.took('enrolled', agent.pin);
    saveIdentity(source.mds, agent);
    saveMembership(source.mds, { name: 'mds1', mainPin: first.pin, approved: true });
    recording.took('member', first.pin);
    saveNextIdentity(source.main, second);
    dropNextIdentity(source.main);
    saveNextIdentity(source.main, second);
    switchIdentity(source.main);
    recording.took('switched', second.pin);
    assert.ok(registry.remove('mds1', NOW).ok);
    recording.took('removed', agent.pin);
  } finally {
    watch.stopRecording();
  }
  let count = 0;
  for (const host of ['main', 'mds'] as const) {
    for (const { cut, after } of cutsOf(recording, host, seed)) {
      const confirmed = new Set(
        recording.events.slice(0, cut.at).flatMap((event) => (event.kind === 'mark' ? [event.path] : [])),
      );
      const at = path.join(folder, 'cut', String(count++));
      const main = path.join(at, 'main/identity');
      const mds = path.join(at, 'mds/identity');
      try {
        makeReal(
          recording,
          after,
          new Map([
            [path.dirname(source.main), path.dirname(main)],
            [path.dirname(source.mds), path.dirname(mds)],
          ]),
        );
        await mainGoesOn(main, confirmed, {
          first: first.pin,
          second: second.pin,
          agent: agent.pin,
          token: token.id,
        });
        await mdsGoesOn(mds, confirmed, agent.pin);
      } catch (error) {
        throw new Error(
          `${error instanceof Error ? error.message : String(error)}\n${tell(recording, cut)}`,
          { cause: error },
        );
      } finally {
        rmSync(at, { recursive: true, force: true });
      }
    }
  }
  return count;
}

function enrolling(id: string, pin: string) {
  return { id, name: 'mds1', pin, address: '192.0.2.7', proofOk: () => true, now: NOW + 1 };
}

type Pins = {
  readonly first: string;
  readonly second: string;
  readonly agent: string;
  readonly token: string;
};

async function mainGoesOn(folder: string, confirmed: ReadonlySet<string>, pins: Pins): Promise<void> {
  finishSwitch(folder);
  const { identity } = await firstIdentity(folder, 'main');
  if (confirmed.has('token'))
    assert.ok([pins.first, pins.second].includes(identity.pin), 'Main has another key');
  if (confirmed.has('switched')) assert.equal(identity.pin, pins.second, 'Main took its new key back');
  loadNextIdentity(folder);
  const registry = new Registry(folder);
  if (confirmed.has('enrolled') && !confirmed.has('removed') && registry.list().revoked.length === 0)
    assert.ok(registry.findByPin(pins.agent), 'Main forgot an MDS');
  if (confirmed.has('removed'))
    return assert.equal(registry.findByPin(pins.agent), undefined, 'Main forgot a removal');
  // The MDS may not have got its answer: it comes with the same token again.
  if (confirmed.has('token') && registry.list().revoked.length === 0) {
    const again = registry.enrolWithToken(enrolling(pins.token, pins.agent));
    assert.ok(again.ok, again.ok ? '' : again.refused);
  }
  assert.equal(lstatSync(path.join(folder, 'key.pem')).mode & 0o777, 0o600);
}

async function mdsGoesOn(folder: string, confirmed: ReadonlySet<string>, pin: string): Promise<void> {
  const { identity } = await firstIdentity(folder, 'mds1');
  if (confirmed.has('enrolled'))
    assert.equal(identity.pin, pin, 'the MDS has another key than the one that it enrolled with');
  const membership = loadMembership(folder);
  if (confirmed.has('member')) assert.ok(membership?.approved, 'the MDS forgot its membership');
  assert.ok(loadIdentity(folder));
}
