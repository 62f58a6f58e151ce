import { everyCut } from './everyCut.ts';
import { everyWrite } from './everyWrite.ts';
import { DELIVERIES, OTHERS, WRITTEN } from './scenarioNames.ts';

/**
 * `cuts` or `writes`, then names of scenarios: tries them one after the other, and prints a line of JSON for each. A
 * process of its own, since node:test follows every promise of its own process, which doubles what these many cost.
 */
const [kind, ...names] = process.argv.slice(2);
for (const name of names) {
  const result = await tryOne(name).catch((error: unknown) => ({
    failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }));
  console.log(JSON.stringify({ what: name, ...result }));
}

async function tryOne(name: string): Promise<object> {
  if (kind === 'writes') return { writes: await everyWrite(named(name, WRITTEN)) };
  return everyCut(named(name, [...DELIVERIES, ...OTHERS]));
}

function named<T extends string>(name: string, names: readonly T[]): T {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new Error(`there is no scenario "${name}" for ${String(kind)}`);
  return found;
}
