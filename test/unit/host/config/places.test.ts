import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import test from 'node:test';
import { agentPlaces, controllerPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';

void test('without --root every path is taken as it is', () => {
  assert.equal(new Root('').path('/etc/x'), '/etc/x');
  assert.equal(new Root('/').path('/etc/x'), '/etc/x');
});

void test('--root is put before every absolute path, a relative one from the working directory', () => {
  assert.equal(new Root('/srv/main/').path('/etc/x'), '/srv/main/etc/x');
  assert.equal(new Root('main').path('/etc/x'), resolve('main/etc/x'));
  assert.throws(() => new Root('/srv').path('etc/x'), /not an absolute path: etc\/x/);
});

void test("the environment's XDS_ROOT counts when --root is not given", (t) => {
  const before = process.env['XDS_ROOT'];
  t.after(() => {
    if (before === undefined) delete process.env['XDS_ROOT'];
    else process.env['XDS_ROOT'] = before;
  });
  process.env['XDS_ROOT'] = '/srv/env';
  assert.equal(new Root().path('/a'), '/srv/env/a');
  assert.equal(new Root('/srv/option').path('/a'), '/srv/option/a');
});

void test('a Main and an MDS keep their things where an administrator looks for them', () => {
  assert.deepEqual(controllerPlaces(new Root('/r')), {
    configFile: '/r/etc/xivo-xds-sync/controller.yml',
    stateFolder: '/r/var/lib/xivo-xds-sync',
    identityFolder: '/r/var/lib/xivo-xds-sync/identity',
    stateFile: '/r/var/lib/xivo-xds-sync/state.sqlite',
    controlSocket: '/r/run/xivo-xds-sync/controller.sock',
    statusSocket: '/r/run/xivo-xds-sync/status.sock',
    publishedFolder: '/r/usr/share/xivo-certs',
    oldCronFile: '/r/etc/cron.d/xivo-xds-sync',
    oldPublishedKey: '/r/usr/share/xivo-certs/rsync_xds.pub',
  });
  assert.equal(agentPlaces(new Root('')).configFile, '/etc/xivo-xds-sync/agent.yml');
  assert.equal(agentPlaces(new Root('')).controlSocket, '/run/xivo-xds-sync/agent.sock');
});
