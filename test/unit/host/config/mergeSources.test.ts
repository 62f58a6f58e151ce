import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeSources } from '#host/config/mergeSources.ts';

/** Lays values over each other, as the contents of files. */
function merged(...values: readonly unknown[]): ReturnType<typeof mergeSources> {
  return mergeSources(
    values.map((value, number) => ({ file: `${number}.yml`, value })),
    new Set(['directories']),
  );
}

/** As JSON: a merged map has no prototype. */
function valueOf(...values: readonly unknown[]): unknown {
  return JSON.parse(JSON.stringify(merged(...values).value));
}

void describe('Files that are laid over each other', () => {
  void it('merge their maps key by key, and the last one wins', () => {
    assert.deepEqual(
      valueOf({ a: 1, trash: { keep: '1d', size: 1 } }, { trash: { keep: '2d' }, b: 2 }, { a: 3 }),
      { a: 3, trash: { keep: '2d', size: 1 }, b: 2 },
    );
    assert.deepEqual(valueOf(undefined, null, { a: 1 }), { a: 1 });
    assert.deepEqual(valueOf(), {});
  });

  void it('replace what is of another kind; a section with nothing below it resets nothing', () => {
    assert.deepEqual(valueOf({ a: { b: 1 } }, { a: 2 }), { a: 2 });
    assert.deepEqual(valueOf({ a: 2 }, { a: { b: 1 } }), { a: { b: 1 } });
    assert.deepEqual(valueOf({ a: { b: 1 } }, { a: null }), { a: { b: 1 } });
    assert.deepEqual(valueOf({ a: 1 }, { a: null }), { a: null });
  });

  void it('replace lists, but for entries that have a name', () => {
    assert.deepEqual(valueOf({ canary: ['a', 'b'] }, { canary: ['c'] }), { canary: ['c'] });
    assert.deepEqual(
      valueOf(
        { directories: [{ name: 'moh', settle: '1s' }, { name: 'sounds' }] },
        {
          directories: [
            { name: 'new', path: '/p' },
            { name: 'moh', reload: 'always' },
          ],
        },
      ),
      {
        directories: [
          { name: 'moh', settle: '1s', reload: 'always' },
          { name: 'sounds' },
          { name: 'new', path: '/p' },
        ],
      },
    );
    assert.deepEqual(valueOf({ directories: [{ name: 'moh' }] }, { directories: [] }), { directories: [] });
  });

  void it('leave two entries of one name in one file to be refused, and entries without a name as they are', () => {
    const twice = {
      directories: [
        { name: 'moh', a: 1 },
        { name: 'moh', b: 2 },
      ],
    };
    assert.deepEqual(valueOf(twice), twice);
    assert.deepEqual(valueOf({ directories: [{ name: 'moh' }] }, twice), {
      directories: [
        { name: 'moh', a: 1 },
        { name: 'moh', b: 2 },
      ],
    });
    assert.deepEqual(valueOf({ directories: [{ path: '/a' }] }, { directories: [{ path: '/b' }, 7] }), {
      directories: [{ path: '/a' }, { path: '/b' }, 7],
    });
  });

  void it('take a key for a key, whatever its name is', () => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as unknown;
    const { value } = merged({ a: 1 }, hostile);
    assert.deepEqual(Object.keys(value as object), ['a', '__proto__', 'constructor']);
    assert.equal('polluted' in {}, false);
  });

  void it('are not changed themselves', () => {
    const first = { a: { b: 1 }, directories: [{ name: 'moh' }] };
    const second = { a: { c: 2 }, directories: [{ name: 'moh', x: 1 }] };
    const before = JSON.stringify([first, second]);
    merged(first, second);
    assert.equal(JSON.stringify([first, second]), before);
  });
});

void describe('The origin of a value', () => {
  const all = merged(
    { trash: { keep: '1d', size: 1 }, directories: [{ name: 'moh', settle: '1s' }, { name: 'sounds' }] },
    { trash: { keep: 'x' }, directories: [{ name: 'new' }, { name: 'moh', reload: 'y' }], canary: ['a'] },
  );

  void it('is the file that wrote it last, and the place in that file', () => {
    assert.deepEqual(all.originOf(['trash', 'keep']), { source: 1, path: ['trash', 'keep'] });
    assert.deepEqual(all.originOf(['trash', 'size']), { source: 0, path: ['trash', 'size'] });
    assert.deepEqual(all.originOf(['canary', 0]), { source: 1, path: ['canary', 0] });
    assert.deepEqual(all.originOf(['directories', 0, 'settle']), {
      source: 0,
      path: ['directories', 0, 'settle'],
    });
    // The second entry of its file, the first of all.
    assert.deepEqual(all.originOf(['directories', 0, 'reload']), {
      source: 1,
      path: ['directories', 1, 'reload'],
    });
    assert.deepEqual(all.originOf(['directories', 2, 'name']), {
      source: 1,
      path: ['directories', 0, 'name'],
    });
  });

  void it('of a key that was not written is the place where it is missing', () => {
    assert.deepEqual(all.originOf(['directories', 2, 'path']), {
      source: 1,
      path: ['directories', 0, 'path'],
    });
    assert.deepEqual(all.originOf([]), { source: 1, path: [] });
  });

  void it('is not that of a value that was replaced', () => {
    const replaced = merged({ a: { b: { c: 1 } }, l: [{ x: 1 }] }, { a: { b: 2 }, l: [{ y: 1 }] });
    assert.deepEqual(replaced.originOf(['a', 'b', 'c']), { source: 1, path: ['a', 'b', 'c'] });
    const map = merged({ l: [{ x: 1 }] }, { l: { a: 1 } });
    assert.deepEqual(map.originOf(['l', 0, 'x']), { source: 1, path: ['l', 0, 'x'] });
    assert.deepEqual(replaced.originOf(['l', 0, 'x']), { source: 1, path: ['l', 0, 'x'] });
  });
});
