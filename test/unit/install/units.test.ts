import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const INSTALL = path.resolve(import.meta.dirname, '../../../install');

test('the units start only what these packages or the smallest Debian have', () => {
  const units = globSync('*.{service,path}', { cwd: INSTALL });
  assert.ok(units.length >= 3);
  for (const unit of units) {
    const text = readFileSync(path.join(INSTALL, unit), 'utf8');
    // /bin/kill, for example, is in procps, which is not essential.
    for (const [, program = ''] of text.matchAll(/^Exec\w+=[-@:+!]*(\S+)/gm))
      assert.match(program, /^(?:\/usr\/bin\/xivo-xds-sync(?:-agent)?|\/bin\/sh)$/, `${unit}: ${program}`);
  }
});
