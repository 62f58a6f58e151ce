import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { PendingReloads } from '../../../../../agent/asterisk/reload/pendingReloads.ts';
import type { Refusal } from '../../../../../agent/asterisk/reload/result.ts';
import { ApplyPlace } from '../../../../support/unit/applyPlace.ts';
import { AsteriskScript } from '../../../../support/unit/asteriskScript.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const RELOADED = 'echo "Dialplan reloaded."';
const AWAY = 'echo "Unable to connect to remote asterisk"; exit 1';

class Reloads {
  readonly clock = new ManualClock();
  readonly place: ApplyPlace;
  readonly asterisk: AsteriskScript;
  readonly log: string[] = [];
  refusal: Refusal | undefined;
  news = 0;
  reloads: PendingReloads;

  constructor(t: TestContext, script = RELOADED) {
    this.place = new ApplyPlace(t);
    this.asterisk = new AsteriskScript(t, script);
    this.reloads = this.again();
    t.after(() => this.reloads.close());
  }

  /** As after a restart of the agent. */
  again(): PendingReloads {
    const { clock } = this;
    const { db } = this.place;
    const log = createLogger('info', ({ event }) => this.log.push(event));
    const nothing = (): void => undefined;
    return new PendingReloads({
      asterisk: this.asterisk.words,
      prove: () => Promise.resolve(() => Promise.resolve({ refusal: this.refusal })),
      db,
      keeper: new DeferredWriter({ db, clock, log, onNews: nothing, onRecovered: nothing }),
      clock,
      log,
      onNews: () => (this.news += 1),
    });
  }
}

describe('A reload of Asterisk', () => {
  it('is pending from the change set on, over a restart, until Asterisk has made it', async (t) => {
    const all = new Reloads(t);
    all.reloads.add('dialplan');
    all.reloads.add('none');
    assert.deepEqual(all.reloads.pending, ['dialplan']);
    assert.deepEqual(all.asterisk.calls, []);
    await all.reloads.close();
    all.reloads = all.again();
    assert.deepEqual(all.reloads.pending, ['dialplan']);
    assert.equal(await all.reloads.requestAll(), true);
    assert.deepEqual(all.asterisk.calls, ['dialplan reload']);
    assert.deepEqual(all.again().pending, []);
    assert.deepEqual(
      all.reloads.recent.map(({ kind, ok, output }) => [kind, ok, output]),
      [['dialplan', true, 'Dialplan reloaded.\n']],
    );
    assert.equal(all.news, 1);
  });

  it('that was requested without a change set leaves nothing pending', async (t) => {
    const all = new Reloads(t, AWAY);
    assert.equal((await all.reloads.request('moh')).away, true);
    assert.deepEqual(all.reloads.pending, []);
  });

  it('stays pending while Asterisk is away', async (t) => {
    const all = new Reloads(t, AWAY);
    all.reloads.add('dialplan');
    assert.equal(await all.reloads.requestAll(), false);
    assert.deepEqual(all.again().pending, ['dialplan']);
    assert.equal(all.reloads.refusal('dialplan'), undefined);
  });

  it('that Asterisk refuses is pending, said once, and retried when a file changes', async (t) => {
    const all = new Reloads(t);
    const { reloads, clock, asterisk } = all;
    all.refusal = { file: 'a.conf', line: 3, message: 'no such application' };
    await reloads.request('dialplan');
    assert.deepEqual(reloads.pending, ['dialplan']);
    assert.deepEqual(reloads.refusal('dialplan'), all.refusal);
    assert.match(
      reloads.recent[0]?.output ?? '',
      /Asterisk refused it \(a\.conf, line 3: no such application\)/,
    );
    await reloads.request('dialplan');
    assert.deepEqual(all.log, ['Asterisk did not reload'], 'the same again is no news');
    const trouble = reloads.troubleOf('dialplan', 'dialplan');
    assert.equal(trouble?.path, 'dialplan/a.conf');
    assert.match(trouble.message, /^line 3: no such application: Asterisk refuses it/);
    assert.equal(reloads.troubleOf('none', 'sounds'), undefined);
    all.refusal = undefined;
    reloads.changedHere('none');
    reloads.changedHere('dialplan');
    clock.advance(300);
    while (reloads.pending.length > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(asterisk.calls.length, 3);
    assert.equal(reloads.refusal('dialplan'), undefined);
    assert.equal(reloads.troubleOf('dialplan', 'dialplan'), undefined);
    assert.equal(clock.timers, 0);
  });

  it('of music says what is missing in its own words', async (t) => {
    const all = new Reloads(t);
    all.refusal = { message: 'class "default" is missing' };
    await all.reloads.request('moh');
    const trouble = all.reloads.troubleOf('moh', 'moh');
    assert.equal(trouble?.path, 'moh');
    assert.match(trouble.message, /^class "default" is missing\. The reload is pending/);
  });
});
