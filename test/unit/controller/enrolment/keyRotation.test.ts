import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadIdentity, saveIdentity } from '#host/identity/identityFiles.ts';
import { createIdentity } from '#host/identity/issueCertificate.ts';
import { createLogger } from '#host/log/logger.ts';
import { Rotation } from '../../../../controller/enrolment/keyRotation.ts';
import { finishSwitch } from '../../../../controller/enrolment/nextIdentity.ts';
import { Registry } from '../../../../controller/registry/registry.ts';
import { memoryFolder } from '../../../support/unit/memoryFolder.ts';

const MAIN = await createIdentity({ commonName: 'main' });
const pinOf = (digit: string): string => digit.repeat(64);

class Keys {
  readonly folder: string;
  readonly registry: Registry;
  readonly announced: string[] = [];
  rotation: Rotation;

  constructor(t: TestContext) {
    this.folder = memoryFolder();
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    saveIdentity(this.folder, MAIN);
    this.registry = new Registry(this.folder);
    for (const [name, pin] of [
      ['mds1', pinOf('1')],
      ['mds2', pinOf('2')],
      ['mds3', pinOf('3')],
    ] as const) {
      this.registry.requestPending({ name, pin, address: '192.0.2.1', now: 0 });
      if (name !== 'mds3') this.registry.approve(name, 0);
    }
    this.rotation = this.again();
    t.after(() => this.rotation.close());
  }

  /** As after a restart of Main. */
  again(): Rotation {
    const { folder, registry } = this;
    const log = createLogger('error', ({ event }) => assert.fail(event));
    return new Rotation({ folder, registry, log, announce: (pin) => this.announced.push(pin) });
  }
}

describe("Main's next key", () => {
  it('is made once, announced each time, and kept over a restart', async (t) => {
    const keys = new Keys(t);
    assert.deepEqual([keys.rotation.nextPin, keys.rotation.stragglers], [undefined, []]);
    const pin = await keys.rotation.begin(MAIN);
    assert.notEqual(pin, MAIN.pin);
    assert.equal(await keys.rotation.begin(MAIN), pin);
    assert.deepEqual(keys.announced, [pin, pin]);
    assert.equal(keys.again().nextPin, pin);
    assert.equal(loadIdentity(keys.folder)?.pin, MAIN.pin, 'the present one stays in use');
  });

  it('is missed by the MDS that have not said that they stored it', async (t) => {
    const keys = new Keys(t);
    const { rotation } = keys;
    rotation.learned(pinOf('1'), pinOf('f'));
    const pin = await rotation.begin(MAIN);
    assert.deepEqual(rotation.stragglers, ['mds1', 'mds2']);
    rotation.learned(pinOf('1'), pinOf('f'));
    assert.deepEqual(rotation.stragglers, ['mds1', 'mds2'], 'another key is none');
    rotation.learned(pinOf('1'), pin);
    assert.deepEqual(rotation.stragglers, ['mds2']);
    assert.deepEqual(keys.again().stragglers, ['mds2']);
    assert.deepEqual(rotation.unapproved, ['mds3']);
    rotation.learnedUnapproved(pinOf('3'), pinOf('f'));
    assert.deepEqual(rotation.unapproved, ['mds3']);
    rotation.learnedUnapproved(pinOf('3'), pin);
    assert.deepEqual(rotation.unapproved, []);
  });

  it('is put into use for good, and no MDS is missing then', async (t) => {
    const keys = new Keys(t);
    const pin = await keys.rotation.begin(MAIN);
    assert.equal(keys.rotation.switch().pin, pin);
    assert.equal(loadIdentity(keys.folder)?.pin, pin);
    assert.deepEqual(
      [keys.rotation.nextPin, keys.rotation.stragglers, keys.rotation.unapproved],
      [undefined, [], []],
    );
    assert.ok(!existsSync(path.join(keys.folder, 'next')));
    assert.throws(() => keys.rotation.switch(), /no next key was announced/);
  });

  it('is dropped, and another one made the next time', async (t) => {
    const keys = new Keys(t);
    const pin = await keys.rotation.begin(MAIN);
    keys.rotation.learnedUnapproved(pinOf('3'), pin);
    keys.rotation.learned(pinOf('1'), pin);
    keys.rotation.abandon();
    assert.equal(keys.rotation.nextPin, undefined);
    assert.equal(keys.again().nextPin, undefined);
    keys.rotation.learned(pinOf('1'), pin);
    assert.notEqual(await keys.rotation.begin(MAIN), pin);
    assert.deepEqual(keys.rotation.stragglers, ['mds1', 'mds2']);
    assert.deepEqual(keys.rotation.unapproved, ['mds3']);
  });

  it('is in use after a start although the switch was cut off', async (t) => {
    const keys = new Keys(t);
    const pin = await keys.rotation.begin(MAIN);
    assert.equal(finishSwitch(keys.folder), undefined, 'no switch was started');
    renameSync(path.join(keys.folder, 'next'), path.join(keys.folder, 'switching'));
    assert.equal(finishSwitch(keys.folder)?.pin, pin);
    assert.equal(loadIdentity(keys.folder)?.pin, pin);
    assert.equal(finishSwitch(keys.folder), undefined);
    assert.equal(keys.again().nextPin, undefined);
  });
});
