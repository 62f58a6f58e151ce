import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ScenarioName } from './scenarioNames.ts';
import { Trials } from './trials.ts';

/**
 * `everyCut` for each scenario. Defines its tests.
 * @param leastCuts fewer cuts than this, of all scenarios together, are a failure
 */
export function cutEverywhere(scenarios: readonly ScenarioName[], leastCuts: number): void {
  const trials = new Trials('cuts', scenarios);
  before(() => trials.start());

  for (const [what, result] of trials.results()) {
    void describe(`When ${what}`, () => {
      void it('the line may end at every message, each way, and a daemon too: nothing is left over', async () => {
        const { failed, cuts, stops } = await result;
        if (failed !== undefined) assert.fail(failed);
        assert.ok(cuts > 0 && stops > 0, 'nothing was cut');
      });
    });
  }

  after(async () => {
    await trials.end();
    const cuts = trials.total('cuts');
    console.log(`${cuts} cuts, and ${trials.total('stops')} daemons ended`);
    if (trials.isWhole) assert.ok(cuts >= leastCuts, `only ${cuts} cuts: at least ${leastCuts} are promised`);
  });
}
