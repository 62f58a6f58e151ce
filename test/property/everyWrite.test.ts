import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WRITTEN } from '../support/trials/scenarioNames.ts';
import { Trials } from '../support/trials/trials.ts';

const LEAST = 350;
const trials = new Trials('writes', WRITTEN);
before(() => trials.start());

for (const [what, result] of trials.results()) {
  void describe(`When ${what}`, () => {
    void it('another program may change the file at any moment: its version is never lost or overlooked', async () => {
      const { failed, writes } = await result;
      if (failed !== undefined) assert.fail(failed);
      assert.ok(writes > 0, 'nothing was written');
    });
  });
}

after(async () => {
  await trials.end();
  const writes = trials.total('writes');
  console.log(`${writes} writes`);
  if (trials.isWhole) assert.ok(writes >= LEAST, `only ${writes} writes: at least ${LEAST} are promised`);
});
