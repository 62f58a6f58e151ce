import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { NODE } from '../../support/harness/bundles.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
const LAUNCHERS = [...globSync('bin/*', { cwd: CHECKOUT }), 'install/package/files/launcher'];
const FILL = 'install/package/files/postinst';

void it('programs start under flags for which V8 takes the code that Node and the cache hold compiled', () => {
  const bare = tagUnder([]);
  for (const file of [...LAUNCHERS, FILL]) {
    const script = readFileSync(path.join(CHECKOUT, file), 'utf8').replaceAll('\\\n', ' ');
    const [, flags = ''] = /node" ?((?:--\S+ +)+)|\/node ((?:--\S+ +)+)/.exec(script)?.filter(Boolean) ?? [];
    assert.deepEqual(
      flags.trim().split(/ +/),
      NODE.slice(1),
      `${file} starts Node as tests and benchmarks do`,
    );
  }
  assert.equal(tagUnder(NODE.slice(1)), bare);
});

/** What V8 compares before it takes code from a cache: its version, and its flags. */
function tagUnder(flags: readonly string[]): string {
  return execFileSync(NODE[0], [...flags, '-p', 'require("v8").cachedDataVersionTag()'], {
    encoding: 'utf8',
  }).trim();
}
