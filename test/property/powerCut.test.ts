import { record, stopRecording } from '../support/crash/systemCalls.ts';
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Run } from '../support/crash/scenario.ts';

// The product comes after what watches its system calls.
const { sample } = await import('../support/crash/sample.ts');
const { renamedTooEarly } = await import('../support/crash/order.ts');
const { casesOf, makeFolder, runOnce, survive, surviveFault } = await import('../support/crash/scenario.ts');
const { scenarios } = await import('../support/crash/scenarios.ts');
const { enrolmentCuts } = await import('../support/crash/enrolment.ts');

/** `XDS_CUT_SEED=N XDS_CUTS=N`: the seed of a failure tries the same cuts again; more cuts of each scenario. */
const SEED = Number(process.env['XDS_CUT_SEED'] ?? randomInt(2 ** 31));
const CUTS = Number(process.env['XDS_CUTS'] ?? 24);
const FAULTS = Math.ceil(CUTS / 10);
/** More calls than any scenario makes. */
const MOST_CALLS = 200;

const folder = makeFolder();
let states = 0;
after(() => {
  rmSync(folder, { recursive: true, force: true });
  console.log(`${states} states after a power cut, seed ${SEED}`);
});

const fresh = (): string => path.join(folder, String(states++));
const withSeed = (error: unknown): Error =>
  new Error(`XDS_CUT_SEED=${SEED}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });

for (const [what, scenario] of Object.entries(scenarios)) {
  void describe(`When ${what}`, () => {
    let run: Run;
    before(async () => {
      run = await runOnce(scenario, path.join(folder, 'runs', what));
    });
    for (const host of ['main', 'mds'] as const) {
      const name = host === 'main' ? 'Main' : 'the MDS';
      void it(`a power cut of ${name} at any moment loses nothing, and the next start converges`, async () => {
        const cases = sample([...casesOf(run, host, SEED)], CUTS, SEED);
        for (const each of cases)
          await survive(run, each, fresh()).catch((error: unknown) => assert.fail(withSeed(error)));
      });
      void it(`a power cut of ${name} that takes its state with it loses nothing`, async () => {
        const cases = sample([...casesOf(run, host, SEED)], CUTS / 4, SEED + 1);
        for (const each of cases)
          await survive(run, each, fresh(), 'state').catch((error: unknown) => assert.fail(withSeed(error)));
      });
    }
    if (scenario.live !== undefined) return;
    void it('what gets a name was durable before', () => {
      for (const host of ['main', 'mds'] as const) assert.deepEqual(renamedTooEarly(run.recording, host), []);
    });
    for (const code of ['ENOSPC', 'EIO'] as const) {
      void it(`any call that fails with ${code} loses nothing, and recovers`, async () => {
        const calls = Array.from({ length: MOST_CALLS }, (_, call) => call);
        for (const call of sample(calls, FAULTS, SEED + code.length)) {
          await surviveFault(scenario, call, code, path.join(folder, 'fault'), run.expected).catch(
            (error: unknown) => assert.fail(withSeed(error)),
          );
        }
      });
    }
  });
}

void it('a power cut while an MDS enrols leaves a registry and an identity with which it can go on', async () => {
  states += await enrolmentCuts(path.join(folder, 'enrolment'), SEED, { record, stopRecording });
});
