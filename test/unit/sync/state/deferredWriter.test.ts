import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { systemClock } from '#host/time/clock.ts';
import { Database } from '#sync/state/database.ts';
import { DeferredWriter, STATE_RETRY } from '#sync/state/deferredWriter.ts';

const isRoot = process.getuid?.() === 0;

void describe(
  'What waits to be written',
  { skip: isRoot ? false : 'only root may mount a small disk' },
  () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'xds-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'xds-test', folder]);
    });
    afterEach(() => {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    });

    void it('is written once what the state itself has not yet written back no longer takes all the room', (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const db = new Database(path.join(folder, 'state.sqlite'));
      let healed = 0;
      const writer = new DeferredWriter({
        db,
        clock: systemClock,
        log: createLogger('error', () => undefined),
        onNews: () => undefined,
        onRecovered: () => (healed += 1),
      });
      const value = 'x'.repeat(20_000);
      for (let i = 0; i < 4; i++) db.setMeta('row', `${i} ${value}`);
      db.writeBackAll();
      // The same row again and again: the file stays small, and what waits beside it grows.
      for (let i = 0; writer.trouble === undefined; i++) {
        assert.ok(i < 10_000, 'the disk never became full');
        writer.write(() => db.setMeta('row', `${i} ${value}`));
      }
      writer.write(() => db.setMeta('waited', 'yes'));
      assert.equal(healed, 0);
      t.mock.timers.tick(STATE_RETRY);
      assert.equal(healed, 1);
      assert.equal(writer.trouble, undefined);
      assert.equal(db.meta('waited'), 'yes');
      writer.close();
      db.close();
    });
  },
);
