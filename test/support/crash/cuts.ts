import { diskAfter, type AfterCut, keyOf, pendingAt, type PowerCut } from './powerCut.ts';
import { randomFrom } from './random.ts';
import type { Recording } from './recording.ts';

/** Up to so many operations that may be missing, every combination is tried. */
const EXHAUSTIVE = 6;
/** Beyond that, so many random combinations at each event. */
const RANDOM = 40;

export type Case = { readonly cut: PowerCut; readonly after: AfterCut };

/**
 * The ways in which a host's power may fail during a recording, without those that leave the same disks and
 * databases as another: after every event, with every combination of what may be missing where those are few.
 * @param seed of the random combinations
 */
export function* cutsOf(recording: Recording, host: string, seed: number): Generator<Case> {
  const random = randomFrom(seed);
  const seen = new Set<string>();
  for (let at = recording.firstEvent; at <= recording.events.length; at++) {
    for (const cut of cutsAt(recording, host, at, random)) {
      const after = diskAfter(recording, cut);
      const key = keyOf(recording, cut, after);
      if (seen.has(key)) continue;
      seen.add(key);
      yield { cut, after };
    }
  }
}

function* cutsAt(recording: Recording, host: string, at: number, random: () => number): Generator<PowerCut> {
  const pending = pendingAt(recording, host, at);
  const cut = (
    missing: readonly number[],
    replay: PowerCut['replay'],
    torn: readonly number[] = [],
  ): PowerCut => ({
    host,
    at,
    missing: new Set(missing),
    torn: new Set(torn),
    replay,
  });
  // A killed process leaves everything to the kernel; a cut may lose all that was not durable.
  yield cut([], 'steps');
  for (const replay of ['steps', 'effects'] as const) {
    yield cut(pending, replay);
    if (pending.length <= EXHAUSTIVE) {
      for (let bits = 1; bits < 2 ** pending.length - 1; bits++)
        yield cut(
          pending.filter((_, index) => (bits >> index) % 2 === 1),
          replay,
        );
      continue;
    }
    // What came last is missing: the disk as it was a moment earlier.
    for (let kept = 1; kept < pending.length; kept++) yield cut(pending.slice(kept), replay);
    for (let i = 0; i < RANDOM; i++) {
      const share = random();
      const missing = pending.filter(() => random() < share);
      const writes = pending.filter((number) => isWrite(recording, number) && !missing.includes(number));
      yield cut(
        missing,
        replay,
        writes.filter(() => random() < 0.3),
      );
    }
  }
}

function isWrite(recording: Recording, number: number): boolean {
  const event = recording.events[number];
  return event?.kind === 'operation' && event.operation.kind === 'write';
}
