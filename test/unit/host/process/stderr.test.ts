import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { stderrOf } from '#host/process/stderr.ts';

function errorOf(script: string): unknown {
  try {
    execFileSync('sh', ['-c', script], { stdio: 'pipe' });
  } catch (error) {
    return error;
  }
  return assert.fail('it did not fail');
}

void it('what a failed program said is its standard error, when it wrote something there', () => {
  assert.equal(stderrOf(errorOf('echo no room >&2; exit 3')), 'no room');
  assert.equal(stderrOf(errorOf('echo on standard output; exit 3')), undefined);
  assert.equal(stderrOf(new Error('not of a program')), undefined);
});
