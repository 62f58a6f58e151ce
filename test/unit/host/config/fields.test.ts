import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import {
  absolutePath,
  bytes,
  directoryName,
  duration,
  list,
  mdsName,
  oneOf,
  parsed,
  section,
  text,
  wholeNumber,
} from '#host/config/fields.ts';

/** What is said about a value that is refused. */
function refused(field: z.ZodType, value: unknown): string {
  const read = field.safeParse(value);
  assert.equal(read.success, false, JSON.stringify(value));
  return read.error?.issues.map(({ message }) => message).join('; ') ?? '';
}

void describe('A time', () => {
  const field = duration(1_000, 60_000);

  void it('has a unit and is within its bounds, which belong to it', () => {
    assert.deepEqual(
      ['1s', '1m', '1500ms'].map((value) => field.parse(value)),
      [1_000, 60_000, 1_500],
    );
    assert.equal(refused(field, '999ms'), '"999ms" is too short; at least 1 s');
    assert.equal(refused(field, '61s'), '"61s" is too long; at most 1 min');
    assert.equal(refused(field, 15), '15 has no unit; write ms, s, m, h or d after it, such as 15m');
    assert.match(refused(field, 'soon'), /soon/);
  });
});

void describe('A size', () => {
  void it('has a unit or is a number of bytes, and has a least value', () => {
    const field = bytes(1_024);
    assert.deepEqual(
      ['1KiB', '1024', 2_048].map((value) => field.parse(value)),
      [1_024, 1_024, 2_048],
    );
    assert.match(refused(field, 1_023), /^1023 is too small; at least 1 KiB$/);
    assert.match(refused(field, '-5'), /-5/);
  });
});

void describe('A number', () => {
  void it('is whole and within its bounds, which belong to it; text is none', () => {
    const field = wholeNumber(0, 100);
    assert.deepEqual(
      [0, 100].map((value) => field.parse(value)),
      [0, 100],
    );
    for (const [value, shown] of [
      [-1, '-1'],
      [101, '101'],
      [1.5, '1.5'],
      ['5', '"5"'],
      [null, 'an empty value'],
      [[5], 'a list'],
    ] as const)
      assert.equal(refused(field, value), `${shown} is not a whole number from 0 to 100`);
  });
});

void describe('A text', () => {
  void it('is no other thing that YAML reads without quotes', () => {
    assert.equal(text().parse('0800'), '0800');
    assert.equal(refused(text(), 800), '800 is not text; put it in quotes');
    assert.equal(refused(text(), true), 'true is not text; put it in quotes');
    assert.equal(refused(text(), null), 'an empty value is not text');
    assert.equal(refused(text(), { a: 1 }), 'a map is not text');
    assert.equal(refused(text(), ''), 'this key must not be empty');
    assert.equal(refused(text(), undefined), 'this key is required');
  });

  void it('that is a name has the characters of names', () => {
    for (const name of ['mds1', 'MDS-Paris.example'])
      assert.equal(mdsName().safeParse(name).success, true, name);
    for (const name of ['', '../mds1', 'a b', '-rf', 'x'.repeat(300)]) refused(mdsName(), name);
    for (const name of ['moh', 'moh-2', 'x'.repeat(32)]) assert.equal(directoryName().parse(name), name);
    for (const name of ['Moh', 'moh_2', 'a/b', 'x'.repeat(33)])
      assert.match(refused(directoryName(), name), /is not a directory name; use 1 to 32 of/);
  });

  void it('that is one of some words is named with them', () => {
    const field = oneOf('block', 'warn', 'off');
    assert.equal(field.parse('off'), 'off');
    // YAML 1.1 would read `off` as false.
    assert.equal(refused(field, false), 'false is not one of block, warn, off');
    assert.equal(refused(field, 'Block'), '"Block" is not one of block, warn, off');
  });
});

void describe('A path', () => {
  void it('is absolute and in its shortest form, but for slashes at its end', () => {
    const field = absolutePath();
    assert.deepEqual(
      ['/srv/a', '/srv/a//'].map((value) => field.parse(value)),
      ['/srv/a', '/srv/a'],
    );
    assert.equal(refused(field, 'srv/a'), '"srv/a" is not an absolute path; begin it with /');
    assert.equal(refused(field, '/srv/../etc'), '"/srv/../etc" is not a normal path; write /etc');
    assert.equal(refused(field, '/srv//a'), '"/srv//a" is not a normal path; write /srv/a');
    for (const disk of ['/', '//']) assert.match(refused(field, disk), /^"\/" would be the whole disk/);
    assert.match(refused(field, '/srv/a\0b'), /contains a NUL byte/);
  });
});

void describe('A section', () => {
  const field = section({ percent: wholeNumber(0, 100).optional(), files: wholeNumber(0, 9).optional() });

  void it('may be empty, and has no key but its own', () => {
    for (const empty of [undefined, null, {}]) assert.deepEqual(field.parse(empty), {});
    assert.equal(refused(field, { percents: 5 }), 'unknown key; known here: percent, files');
    assert.equal(refused(field, [1]), 'a list is not a map; known keys here: percent, files');
    assert.equal(refused(field, 'x'), '"x" is not a map; known keys here: percent, files');
  });

  void it('names every fault in it, and a list that is none', () => {
    assert.equal(refused(field, { percent: 101, files: 10 }).split('; ').length, 2);
    assert.equal(refused(list(text()), 'a'), '"a" is not a list');
    assert.deepEqual(list(text()).parse(['a']), ['a']);
  });

  void it('hides no defect of the program behind a fault of the file', () => {
    const broken = parsed(() => {
      throw new TypeError('a defect');
    });
    assert.throws(() => broken.safeParse(1), /a defect/);
  });
});
