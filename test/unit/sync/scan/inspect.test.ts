import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { staysInside } from '#sync/scan/inspect.ts';

void test('a link may climb only as far as its own folders go, and only at its beginning', () => {
  for (const [link, target, inside] of [
    ['a', 'b', true],
    ['a', './b//c', true],
    ['d/a', '../b', true],
    ['d/e/a', '../../b/c', true],
    ['d/a', '..', true],
    ['a', '..', false],
    ['a', '../b', false],
    ['d/a', '../../b', false],
    ['a', '/etc/passwd', false],
    ['a', '', false],
    ['a', 'b/../c', false],
    ['d/e/a', 'k/../../../etc', false],
    ['a', '..b', true],
  ] as const)
    assert.equal(staysInside(link, target), inside, `${link} -> ${target}`);
});

void test('no set of links that each may be made leads outside together, as the kernel resolves them', (t) => {
  const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-links-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const part = fc.constantFrom('..', '.', 'a', 'b', 'c', '');
  const target = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  const place = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'd/e/a', 'd/e/b', 'd/e/c');
  let round = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(place, target), { maxLength: 6 }), (links) => {
      const root = path.join(folder, `${round++}`, 'outside', 'root');
      mkdirSync(path.join(root, 'd/e'), { recursive: true });
      const made: string[] = [];
      for (const [link, to] of links) {
        if (!staysInside(link, to) || made.includes(link)) continue;
        symlinkSync(to, path.join(root, link));
        made.push(link);
      }
      for (const link of made) {
        let real: string;
        try {
          real = realpathSync(path.join(root, link));
        } catch {
          continue; // It leads nowhere, or in circles.
        }
        assert.ok(real === root || real.startsWith(`${root}/`), `${link} leads to ${real}`);
      }
    }),
    { numRuns: 400 },
  );
});
