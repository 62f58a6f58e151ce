import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BUSY_RETRY_MS, FIRST_RETRY_MS } from '../../../../../agent/asterisk/reload/limits.ts';
import { Reloader } from '../../../../../agent/asterisk/reload/reloader.ts';
import type { ReloadResult } from '../../../../../agent/asterisk/reload/result.ts';
import { AsteriskScript } from '../../../../support/unit/asteriskScript.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const RELOADED = 'echo "Dialplan reloaded."';
const AWAY = 'echo "Unable to connect to remote asterisk"; exit 1';
const BUSY = 'echo "A module reload request is already in progress"';

class Reloads {
  readonly clock = new ManualClock();
  readonly asterisk: AsteriskScript;
  readonly reloader: Reloader;
  readonly results: ReloadResult[] = [];
  #next = Promise.withResolvers<ReloadResult>();

  constructor(t: TestContext, script: string) {
    this.asterisk = new AsteriskScript(t, script);
    this.reloader = new Reloader({
      asterisk: this.asterisk.words,
      clock: this.clock,
      onResult: (result) => {
        this.results.push(result);
        this.#next.resolve(result);
        this.#next = Promise.withResolvers();
      },
    });
    t.after(() => this.reloader.close());
  }

  /** The next result, also of a retry. */
  get next(): Promise<ReloadResult> {
    return this.#next.promise;
  }
}

describe('A reload that is requested', () => {
  it('is answered by one that started afterwards; several requests meanwhile share one more', async (t) => {
    const { reloader, asterisk, results } = new Reloads(t, RELOADED);
    const all = [reloader.request('dialplan')];
    assert.deepEqual(reloader.pending(), ['dialplan']);
    all.push(reloader.request('dialplan'), reloader.request('dialplan'));
    const [one, two, three] = await Promise.all(all);
    assert.ok(one?.ok === true && two?.ok === true);
    assert.equal(two, three);
    assert.notEqual(one, two);
    assert.equal(asterisk.calls.length, 2);
    assert.deepEqual(results, [one, two]);
    assert.deepEqual(reloader.pending(), []);
  });

  it('does not wait for one of the other kind', async (t) => {
    const { reloader, asterisk } = new Reloads(t, RELOADED);
    const both = await Promise.all([reloader.request('dialplan'), reloader.request('moh')]);
    assert.deepEqual(
      both.map(({ kind }) => kind),
      ['dialplan', 'moh'],
    );
    assert.deepEqual(asterisk.calls.toSorted(), ['dialplan reload', 'moh reload']);
  });

  it('is answered while Asterisk is away, and stays pending until Asterisk is back', async (t) => {
    const all = new Reloads(t, AWAY);
    const { reloader, asterisk, clock } = all;
    const result = await reloader.request('dialplan');
    assert.deepEqual([result.ok, result.away], [false, true]);
    assert.deepEqual(reloader.pending(), ['dialplan']);
    assert.equal(clock.nextIn, FIRST_RETRY_MS);
    let retry = all.next;
    clock.advance(FIRST_RETRY_MS);
    assert.equal((await retry).away, true);
    assert.equal(clock.nextIn, 2 * FIRST_RETRY_MS);
    asterisk.become(RELOADED);
    retry = all.next;
    clock.advance(2 * FIRST_RETRY_MS);
    assert.equal((await retry).ok, true);
    assert.deepEqual(reloader.pending(), []);
    assert.equal(clock.timers, 0);
  });

  it('is made at once when it is requested again while it waits', async (t) => {
    const { reloader, asterisk, clock } = new Reloads(t, AWAY);
    await reloader.request('dialplan');
    asterisk.become(RELOADED);
    assert.equal((await reloader.request('dialplan')).ok, true);
    assert.equal(clock.timers, 0, 'the retry is not due any more');
  });

  it('waits for an Asterisk that is busy', async (t) => {
    const { reloader, asterisk, clock, results } = new Reloads(t, BUSY);
    const answer = reloader.request('dialplan');
    while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(clock.nextIn, BUSY_RETRY_MS);
    assert.deepEqual(results, []);
    asterisk.become(RELOADED);
    clock.advance(BUSY_RETRY_MS);
    assert.equal((await answer).ok, true);
    assert.equal(asterisk.calls.length, 2);
  });

  it('is answered when the agent stops, and none is started after that', async (t) => {
    const { reloader, clock } = new Reloads(t, 'exec sleep 60');
    const running = reloader.request('dialplan');
    const next = reloader.request('dialplan');
    await reloader.close();
    for (const result of [await running, await next, await reloader.request('dialplan')])
      assert.deepEqual([result.ok, result.away], [false, true]);
    assert.deepEqual(reloader.pending(), ['dialplan'], 'the next run makes it');
    assert.equal(clock.timers, 0);
  });
});
