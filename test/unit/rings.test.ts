import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');
/** In their order: a file imports only from its own ring and from those before it. */
const RINGS = ['protocol', 'shared/core', 'shared/host', 'shared/wire', 'shared/sync'] as const;
const NAMES: Readonly<Record<string, string>> = {
  '#protocol/': 'protocol/',
  '#core/': 'shared/core/',
  '#host/': 'shared/host/',
  '#wire/': 'shared/wire/',
  '#sync/': 'shared/sync/',
};
/** All of Node that a pure ring may use. */
const PURE = ['node:crypto', 'node:buffer'];

type Import = { readonly file: string; readonly from: string };

const imports: Import[] = globSync('{protocol,shared,controller,agent}/**/*.{ts,tsx}', {
  cwd: CHECKOUT,
}).flatMap((file) =>
  [...readFileSync(path.join(CHECKOUT, file), 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(
    ([, from]) => ({
      file,
      from: from ?? '',
    }),
  ),
);

describe('The rings of the house', () => {
  it('import only what comes before them', () => {
    assert.ok(imports.length > 500);
    const wrong = imports.filter(({ file, from }) => {
      const target = resolve(file, from);
      return target !== undefined && target !== 'package.json' && ringOf(target) > ringOf(file);
    });
    assert.deepEqual(wrong, []);
  });

  it('keep controller and agent apart', () => {
    const wrong = imports.filter(({ file, from }) => {
      const target = resolve(file, from) ?? '';
      return (
        (file.startsWith('controller/') && target.startsWith('agent/')) ||
        (file.startsWith('agent/') && target.startsWith('controller/'))
      );
    });
    assert.deepEqual(wrong, []);
  });

  it('have a core without disk, socket, clock or process', () => {
    const core = imports.filter(({ file }) => file.startsWith('shared/core/'));
    assert.deepEqual(
      core.filter(({ from }) => from.startsWith('node:') && !PURE.includes(from)),
      [],
    );
    for (const file of globSync('shared/core/**/*.ts', { cwd: CHECKOUT })) {
      const source = readFileSync(path.join(CHECKOUT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      const impure =
        /\b(process\.|Date\.now|new Date\(\)|Math\.random|performance\.|setTimeout|setInterval)/.exec(source);
      assert.equal(impure, null, `${file}: ${impure?.[0] ?? ''}`);
    }
  });
});

/** The path in the checkout that an import means; undefined for a library. */
function resolve(file: string, from: string): string | undefined {
  if (from.startsWith('.')) return path.join(path.dirname(file), from);
  const name = Object.keys(NAMES).find((each) => from.startsWith(each));
  return name === undefined ? undefined : `${NAMES[name] ?? ''}${from.slice(name.length)}`;
}

function ringOf(file: string): number {
  const ring = RINGS.findIndex((each) => file.startsWith(`${each}/`));
  return ring === -1 ? RINGS.length : ring;
}
