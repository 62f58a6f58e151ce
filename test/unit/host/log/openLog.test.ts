import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UsageError } from '#host/cli/usageError.ts';
import { logModeOf } from '#host/log/openLog.ts';

void it('--log takes three words, and is "auto" when it is absent', () => {
  assert.deepEqual([undefined, 'auto', 'stderr', 'json'].map(logModeOf), ['auto', 'auto', 'stderr', 'json']);
  for (const wrong of ['', 'JSON', 'syslog'])
    assert.throws(
      () => logModeOf(wrong),
      (error: unknown) =>
        error instanceof UsageError && error.message === `--log takes auto, stderr, json, not "${wrong}"`,
    );
});
