import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');
/** A file or folder of this repository, as documentation writes it. */
const PLACE = /`((?:protocol|shared|controller|agent|install|test|demo|docs|bin)\/[\w./-]+)`/g;

void it('Every file and folder that the documentation names is there', () => {
  const missing = globSync(['*.md', 'docs/**/*.md'], { cwd: CHECKOUT }).flatMap((page) =>
    [...readFileSync(path.join(CHECKOUT, page), 'utf8').matchAll(PLACE)]
      .map(([, place]) => place ?? '')
      .filter((place) => !existsSync(path.join(CHECKOUT, place)))
      .map((place) => `${page}: ${place}`),
  );
  assert.deepEqual(missing, []);
});

void it('Every link between pages leads somewhere', () => {
  const broken = globSync(['*.md', 'docs/**/*.md'], { cwd: CHECKOUT }).flatMap((page) =>
    [
      ...readFileSync(path.join(CHECKOUT, page), 'utf8').matchAll(
        /\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g,
      ),
    ]
      .map(([, target]) => target ?? '')
      .filter((target) => !existsSync(path.join(CHECKOUT, path.dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});
