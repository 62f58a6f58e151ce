import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#host/log/logger.ts';
import { DeferredWriter } from '#sync/state/deferredWriter.ts';
import { Pause } from '../../../../controller/daemon/pause.ts';
import { ManualClock } from '../../../support/wire/manualClock.ts';
import { stateFor } from '../../../support/unit/stateFor.ts';

/** Time goes on whenever it is looked at, and later than the timers know. */
class RunningClock extends ManualClock {
  readonly #step: number;
  #looks = 0;

  constructor(step: number) {
    super();
    this.#step = step;
  }

  override now(): number {
    this.#looks += 1;
    return super.now() + Math.floor(this.#looks * this.#step);
  }
}

void test('an MDS that was sent a pause is sent its end, however the time falls', (t) => {
  const db = stateFor(t);
  const log = createLogger('error', ({ event }) => assert.fail(event));
  const nothing = (): void => undefined;
  for (const step of [0, 0.1, 0.25, 0.5, 1, 3, 10])
    for (let length = 1; length <= 12; length++) {
      const clock = new RunningClock(step);
      const heard: boolean[] = [];
      const pause = new Pause({
        db,
        keeper: new DeferredWriter({ db, clock, log, onNews: nothing, onRecovered: nothing }),
        clock,
        onChange: (isOn) => heard.push(isOn),
      });
      pause.set(clock.now() + length);
      clock.advance(10_000);
      assert.equal(heard.at(-1), false, `${length} ms, ${step} ms each: ${heard.join(' ')}`);
      assert.equal(pause.isOn, false);
      assert.equal(clock.timers, 0);
    }
});
