import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileEntry } from '../../../support/unit/applyPlace.ts';
import { MainInProcess, RECORDINGS } from '../../../support/unit/mainInProcess.ts';

const MIB = 1024 * 1024;

void test('Main that is stopped does not wait until a large file that is gone on with has been read: what there is stays', async (t) => {
  const main = await MainInProcess.start(t);
  const { applier } = main.directory('recordings');
  const size = 64 * MIB;
  const content = Buffer.alloc(size, 'x');
  const hash = createHash('sha256').update(content).digest('hex');
  const partial = main.at(`${RECORDINGS}/.xivo-xds-sync/partial`);
  mkdirSync(partial, { recursive: true });
  writeFileSync(`${partial}/${hash}`, content);
  const mds = await main.mds();
  const entry = { ...fileEntry(''), size, hash };
  const offer = { op: 'put', path: 'r.wav', entry, expect: null, conflict: false, reason: 'new', from: size };
  mds.say({ type: 'offer', stream: 1, directory: 'recordings', offers: [offer] });
  // The offset is 0 while it is being received.
  while (applier.resumeOffset(hash) !== 0) await turn();
  await main.controller.stop();
  assert.equal(statSync(`${partial}/${hash}`).size, size);
  assert.deepEqual(main.log, ['offer was not taken']);
  assert.match(String(main.causes[0]), /the directory is being closed/);
});
