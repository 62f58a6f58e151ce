import type { TestContext } from 'node:test';
import { DialplanReadings } from '#host/dialplan/readings.ts';
import { systemClock } from '#host/time/clock.ts';
import type { ReadFolder } from '../../../agent/asterisk/activation/lintGate.ts';

/** Reads this dialplan folder; the readings are forgotten when the test ends. */
export function readerOf(t: TestContext, folder: string): ReadFolder {
  const readings = new DialplanReadings(systemClock);
  t.after(() => readings.forget());
  const place = { path: folder, asteriskPath: folder, root: '' };
  return (changed) => readings.read(place, changed);
}
