import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { verifyReplica } from '#sync/scan/verify.ts';
import { ApplyPlace } from '../../../support/unit/applyPlace.ts';
import { replicaOf } from '../../../support/unit/replicaOf.ts';

const MIB = 1024 * 1024;

void describe('A verification', () => {
  void it('ends within a block of a file when no caller waits for it any more', async (t) => {
    const place = new ApplyPlace(t);
    writeFileSync(place.at('large'), Buffer.alloc(4 * MIB));
    const replica = await replicaOf(t, place);
    const asked = new AbortController();
    let bytes = 0;
    const verified = verifyReplica(
      replica,
      (_files, read) => {
        bytes += read;
        asked.abort(new Error('no caller waits'));
      },
      asked.signal,
    );
    await assert.rejects(verified, /no caller waits/);
    assert.equal(bytes, MIB);
  });

  void it('ends when its directory is closed, and does not hold the close up', async (t) => {
    const place = new ApplyPlace(t);
    for (const name of ['a', 'b', 'c']) writeFileSync(place.at(name), name);
    const replica = await replicaOf(t, place);
    let files = 0;
    let closed: Promise<void> | undefined;
    const verified = verifyReplica(
      replica,
      (read) => {
        files += read;
        closed ??= replica.close();
      },
      new AbortController().signal,
    );
    await assert.rejects(verified, /is being closed/);
    assert.ok(files <= 1, 'it reads on');
    await closed;
  });
});
