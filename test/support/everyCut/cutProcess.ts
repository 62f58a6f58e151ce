import { everyCut } from './everyCut.ts';
import { DELIVERIES, OTHERS } from './scenarioNames.ts';

/**
 * Tries the scenarios that are named, one after the other, and prints a line of JSON for each. A process of its own,
 * since node:test follows every promise of its own process, which doubles what these many cost.
 */
for (const name of process.argv.slice(2)) {
  const what = [...DELIVERIES, ...OTHERS].find((each) => each === name);
  if (what === undefined) throw new Error(`there is no scenario "${name}"`);
  const result = await everyCut(what).catch((error: unknown) => ({
    failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }));
  console.log(JSON.stringify({ what, ...result }));
}
