import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import * as z from 'zod';
import type { ScenarioName } from './scenarioNames.ts';

/** `XDS_CUT='files are delivered'` tries one scenario alone. */
const ONLY = process.env['XDS_CUT'];
const PROCESS = path.join(import.meta.dirname, 'cutProcess.ts');

const resultSchema = z.object({
  what: z.string(),
  cuts: z.int().default(0),
  stops: z.int().default(0),
  failed: z.string().optional(),
});
type Result = z.infer<typeof resultSchema>;

/**
 * `everyCut` for each scenario, all in one process beside this one. Defines its tests.
 * @param leastCuts fewer cuts than this, of all scenarios together, are a failure
 */
export function cutEverywhere(scenarios: readonly ScenarioName[], leastCuts: number): void {
  const meant = scenarios.filter((what) => ONLY === undefined || ONLY === what);
  const results = new Map<string, PromiseWithResolvers<Result>>(
    meant.map((what) => [what, Promise.withResolvers<Result>()]),
  );
  const done: Result[] = [];
  let child: ChildProcess | undefined;

  before(() => {
    const args = ['--disable-warning=ExperimentalWarning', PROCESS, ...meant];
    const trying = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = trying;
    createInterface({ input: trying.stdout }).on('line', (line) => {
      const result = resultSchema.parse(JSON.parse(line));
      done.push(result);
      results.get(result.what)?.resolve(result);
    });
    trying.on('close', (code, signal) => {
      const failed = `the process that tries it ended with ${String(code ?? signal)}`;
      for (const [what, { resolve }] of results) resolve({ what, cuts: 0, stops: 0, failed });
    });
  });

  for (const [what, { promise }] of results) {
    void describe(`When ${what}`, () => {
      void it('the line may end at every message, each way, and a daemon too: nothing is left over', async () => {
        const { failed, cuts, stops } = await promise;
        if (failed !== undefined) assert.fail(failed);
        assert.ok(cuts > 0 && stops > 0, 'nothing was cut');
      });
    });
  }

  after(async () => {
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      // All results are here, or this file is being ended.
      child.kill();
      await ended;
    }
    const [cuts, stops] = [
      done.reduce((sum, each) => sum + each.cuts, 0),
      done.reduce((sum, each) => sum + each.stops, 0),
    ];
    console.log(`${cuts} cuts, and ${stops} daemons ended`);
    if (ONLY === undefined && done.every(({ failed }) => failed === undefined))
      assert.ok(cuts >= leastCuts, `only ${cuts} cuts: at least ${leastCuts} are promised`);
  });
}
