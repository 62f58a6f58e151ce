import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteShortLived } from '#host/memory/shortLived.ts';

const MB = 2 ** 20;
const PIECE = 64 * 1024;

void test('memory of the network is given back before it piles up', () => {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let at = 0; at < 256 * MB; at += PIECE) {
    Buffer.allocUnsafeSlow(PIECE);
    noteShortLived(PIECE);
    if (at % MB === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  assert.ok(most < 12 * MB, `${Math.round(most / MB)} MB at once`);
});
