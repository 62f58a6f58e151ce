import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ContentDigest, digestOfPath } from '#core/manifest/digest.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { encodeName } from '#core/path/nameBytes.ts';

// Both sides compare these digests, whatever their versions are: the bytes that go into one may not change.
void test('the digest of a path is that of its bytes, a zero and the text', () => {
  const paths = ['a', 'en/ol\u00e1.wav', '\u{1f389}.wav', 'caf\udce9'];
  const texts = ['folder', '["file","\u00e9"]', 'special a link that leads outside (caf\udce9)', ''];
  for (const path of paths) {
    for (const said of [...texts, ...texts.map(encodeName)]) {
      const expected = createHash('sha256').update(encodeName(path)).update('\0').update(said).digest('hex');
      assert.equal(
        Buffer.from(digestOfPath(path, said), 'latin1').toString('hex'),
        expected,
        `${path} ${String(said)}`,
      );
    }
  }
});

void test('the digest of a table is the XOR of those of its paths', () => {
  const digest = new ContentDigest();
  let expected = 0n;
  for (const path of ['a', 'b', 'c']) {
    digest.toggle(path, { type: 'folder', mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0 });
    expected ^= BigInt(`0x${createHash('sha256').update(`${path}\0folder`).digest('hex')}`);
    assert.equal(BigInt(`0x${digest.hex}`), expected);
  }
});

// It is stored, and compared after an upgrade.
void test('a stamp has the fields of a stat in a fixed order', () => {
  const stat = { dev: 1n, ino: 2n, size: 3n, mtimeNs: -4n, ctimeNs: 1_700_000_000_123_456_789n };
  assert.equal(stampOf(stat), '1:2:3:-4:1700000000123456789');
});
