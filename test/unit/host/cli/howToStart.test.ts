import assert from 'node:assert/strict';
import { test } from 'node:test';
import { howToStart } from '#host/cli/howToStart.ts';

void test('a host in a folder is not started as the service of this machine', () => {
  assert.equal(
    howToStart({ isElsewhere: false }, 'xivo-xds-sync', 'serve'),
    'Start it with "systemctl start xivo-xds-sync", or in the foreground with "xivo-xds-sync serve"',
  );
  assert.equal(
    howToStart({ isElsewhere: true }, 'xivo-xds-sync-agent', 'run'),
    'Start it with "xivo-xds-sync-agent --root DIR run"',
  );
});
