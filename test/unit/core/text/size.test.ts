import assert from 'node:assert/strict';
import test from 'node:test';
import { formatBytes, parseBytes } from '#core/text/size.ts';

void test('sizes are read as rsync reads them: M is MiB, MB is a million', () => {
  const read = ['64KiB', '1MiB', '500MB', '10M', '10 mib', '0', '4096', '2GiB', '1TB', '7b'].map(parseBytes);
  assert.deepEqual(read, [65_536, 1_048_576, 5e8, 10_485_760, 10_485_760, 0, 4096, 2_147_483_648, 1e12, 7]);
});

void test('what is not a size is refused with a message that shows a valid one', () => {
  for (const text of ['', 'MiB', '-1', '1.5GiB', '1XB', '1  MiB', '10MiB/s', '1e6']) {
    assert.throws(() => parseBytes(text), { name: 'RangeError', message: /not a size.*such as 64MiB/ }, text);
  }
  assert.throws(() => parseBytes('9999999999TiB'), /more than any disk holds/);
});

void test('sizes are shown with three digits at most', () => {
  const sizes = [0, 1023, 1024, 1536, 1_048_575, 1_048_576, 104_752_742, 257_698_037_760, 2 ** 50];
  const expected = ['0 B', '1023 B', '1 KiB', '1.5 KiB', '1 MiB', '1 MiB', '99.9 MiB', '240 GiB', '1024 TiB'];
  assert.deepEqual(sizes.map(formatBytes), expected);
});
