import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { clearInbox, handOver, isTaken, takeOffer } from '../../../../agent/upgrade/inbox.ts';
import { trustedMain, trustMain } from '../../../../agent/upgrade/trustedMain.ts';
import type { PackageOffer } from '#protocol/messages/common.ts';
import { makeKeyPair } from '#host/identity/keypair.ts';
import { signPackage, whyNotSigned } from '#host/identity/packageSignature.ts';
import { pinOfPublicKey } from '#host/identity/pin.ts';

const main = makeKeyPair();
const pin = pinOfPublicKey(main.spki);
const content = Buffer.from('a package');
const offer = signPackage(main.keyPem, {
  version: '1.2.3',
  size: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
});

describe('A package is installed only with the signature of the trusted Main,', () => {
  it('made for this very package', () => {
    assert.equal(whyNotSigned(offer, pin), undefined);
    const changed: Partial<PackageOffer>[] = [
      { version: '1.2.4' },
      { size: 8 },
      { sha256: 'f'.repeat(64) },
      { signature: '' },
      { signature: Buffer.alloc(64).toString('base64') },
    ];
    for (const change of changed)
      assert.match(whyNotSigned({ ...offer, ...change }, pin) ?? '', /signature does not fit/);
  });

  it('not with the signature of another key', () => {
    const other = signPackage(makeKeyPair().keyPem, offer);
    assert.match(whyNotSigned(other, pin) ?? '', /another key/);
    assert.match(whyNotSigned({ ...other, mainKey: offer.mainKey }, pin) ?? '', /does not fit/);
    const noKey = Buffer.from('no key');
    assert.match(
      whyNotSigned({ ...offer, mainKey: noKey.toString('base64') }, pinOfPublicKey(noKey)) ?? '',
      /does not fit/,
    );
  });
});

describe('The inbox of the installer', () => {
  function folders(t: TestContext): { inbox: string; target: string; outside: string } {
    const folder = mkdtempSync(path.join(tmpdir(), 'xds-inbox-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(path.join(folder, 'state'));
    writeFileSync(path.join(folder, 'outside'), content);
    const at = (name: string): string => path.join(folder, name);
    return { inbox: at('state/upgrade'), target: at('next.deb'), outside: at('outside') };
  }
  const anyKey = (): void => undefined;

  it('gives the installer the package that was offered, and is empty afterwards', (t) => {
    const { inbox, target } = folders(t);
    writeFileSync(clearInbox(inbox), content);
    handOver(inbox, offer);
    assert.equal(isTaken(inbox), false);
    assert.deepEqual(takeOffer(inbox, anyKey, target), offer);
    assert.deepEqual(readFileSync(target), content);
    assert.equal(isTaken(inbox), true);
  });

  it('keeps back a package whose bytes are others, fewer or more than offered, and is empty afterwards', (t) => {
    const { inbox, target } = folders(t);
    for (const bytes of ['a packagE', 'a pack', 'a package and more']) {
      writeFileSync(clearInbox(inbox), bytes);
      handOver(inbox, offer);
      assert.throws(() => takeOffer(inbox, anyKey, target), /not the one|is not a file of at most/);
      assert.equal(existsSync(target), false);
      assert.equal(isTaken(inbox), true);
    }
  });

  it('follows no link, neither of the package nor of itself', (t) => {
    const { inbox, target, outside } = folders(t);
    symlinkSync(outside, clearInbox(inbox));
    handOver(inbox, offer);
    assert.throws(() => takeOffer(inbox, anyKey, target), { code: 'ELOOP' });
    assert.deepEqual(readFileSync(outside), content);

    const real = `${inbox}.real`;
    writeFileSync(clearInbox(real), content);
    handOver(real, offer);
    rmSync(inbox, { recursive: true, force: true });
    symlinkSync(real, inbox);
    assert.throws(() => takeOffer(inbox, anyKey, target), /ENOTDIR|ELOOP/);
    assert.equal(isTaken(real), false);
  });

  it('is not read any further when no trusted key signed the offer', (t) => {
    const { inbox, target } = folders(t);
    writeFileSync(clearInbox(inbox), content);
    handOver(inbox, offer);
    const refuse = (): void => {
      throw new Error('not signed');
    };
    assert.throws(() => takeOffer(inbox, refuse, target), /not signed/);
    assert.equal(existsSync(target), false);
  });
});

it('nothing is installed before a person has set the trusted key, and the message says how', (t) => {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'xds-trust-')), 'installer');
  t.after(() => rmSync(path.dirname(folder), { recursive: true }));
  assert.throws(() => trustedMain(folder), /run mds_install\.sh here again/);
  trustMain(folder, pin);
  assert.equal(trustedMain(folder), pin);
});
