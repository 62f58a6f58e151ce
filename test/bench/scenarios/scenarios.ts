import type { Scenario } from '../scenario.ts';
import { calls } from './calls.ts';
import { cap } from './cap.ts';
import { fanout } from './fanout.ts';
import { idle } from './idle.ts';
import { large } from './large.ts';
import { many } from './many.ts';
import { memory } from './memory.ts';
import { reconnect } from './reconnect.ts';
import { recordings } from './recordings.ts';
import { renamed } from './renamed.ts';
import { small } from './small.ts';
import { sounds } from './sounds.ts';
import { start } from './start.ts';
import { urgent } from './urgent.ts';

/** All parts of the benchmark, in the order in which they are measured. */
export const SCENARIOS: readonly Scenario[] = [
  small,
  sounds,
  large,
  recordings,
  calls,
  idle,
  renamed,
  fanout,
  urgent,
  cap,
  reconnect,
  memory,
  start,
  many,
];
