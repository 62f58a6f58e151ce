import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { placeOf } from '../../../../agent/directory/placeOf.ts';

void test('Main says where a directory lies, within what the MDS allows, also through links', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'xds-place-'));
  t.after(() => rmSync(root, { recursive: true }));
  const make = (path: string): string => {
    mkdirSync(root + path, { recursive: true });
    return root + path;
  };
  make('/var/lib/xivo');
  make('/srv/other');
  const asterisk = make('/var/lib/asterisk/moh');
  const own = make('/var/lib/xivo-xds-sync');
  symlinkSync(join(root, 'srv/other'), join(root, 'var/lib/xivo/out'));
  symlinkSync(asterisk, join(root, 'var/lib/xivo/music'));
  symlinkSync(join(root, 'srv/not-there'), join(root, 'var/lib/xivo/nowhere'));
  symlinkSync(own, join(root, 'var/lib/xivo/ours'));
  const allow = ['/var/lib/xivo', '/var/lib/asterisk'];
  const place = (name: string, path?: string, directories: { name: string; path: string }[] = []) =>
    placeOf(
      { name, ...(path !== undefined && { path }) },
      { directories, allow, own: [own], locate: (at) => root + at },
    );
  const refused = (path: string, why: RegExp): void => {
    const found = place('agi', path);
    assert.ok('refusal' in found, `${path} is allowed`);
    assert.match(found.refusal, why);
  };
  assert.deepEqual(place('agi', '/var/lib/xivo/agi-bin'), { path: '/var/lib/xivo/agi-bin' });
  assert.deepEqual(place('agi', '/var/lib/xivo/music/deeper'), { path: '/var/lib/xivo/music/deeper' });
  assert.deepEqual(place('moh'), { path: '/var/lib/xivo/moh' });
  assert.deepEqual(place('moh', '/var/lib/xivo/moh'), { path: '/var/lib/xivo/moh' });
  assert.deepEqual(place('moh', '/srv/moh', [{ name: 'moh', path: '/mnt/moh' }]), { path: '/mnt/moh' });
  refused(
    '/etc/cron.d',
    /"agi" at \/etc\/cron\.d, which is outside the folders that this MDS allows.*"allow"/,
  );
  refused('/var/lib/xivo-evil', /outside/);
  refused('/var/lib/xivo/../../etc', /not an absolute path/);
  refused('var/lib/xivo/a', /not an absolute path/);
  refused('/var/lib/xivo/out', /a link leads to .*srv\/other/);
  refused('/var/lib/xivo/out/deeper', /a link leads to .*srv\/other\/deeper/);
  refused('/var/lib/xivo/nowhere', /can't be followed here/);
  refused('/var/lib/xivo/ours', /this program's own folder/);
  assert.match(JSON.stringify(place('agi')), /does not know/);
  assert.match(JSON.stringify(place('moh', '/srv/moh')), /outside/);
});
