import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Findings } from '#core/dialplan/finding.ts';
import { newReading, readLines, type ReadingState, stripBlanks, stripEnd } from '#core/dialplan/lines.ts';

type Read = { lines: string[]; findings: string[]; state: ReadingState };

/** The lines of files that one include reads, as `number text`, and what there is to say about them. */
function read(...files: string[]): Read {
  const state = newReading();
  const findings = new Findings();
  const lines = files.flatMap((text, number) =>
    [...readLines(`${number}.conf`, Buffer.from(text), state, findings)].flatMap((line) =>
      line === undefined ? [] : [`${line.place.line} ${line.text}`],
    ),
  );
  return {
    lines,
    findings: findings
      .list()
      .map(({ path, line, severity, message }) => `${path}:${line} ${severity} ${message}`),
    state,
  };
}

const lines = (...files: string[]): string[] => read(...files).lines;

void describe('The lines of a file', () => {
  void it('come without blanks at both ends, empty ones not at all, each with its number', () => {
    assert.deepEqual(lines('a\n\n \t b = c \r\n\n[d]'), ['1 a', '3 b = c', '5 [d]']);
    assert.deepEqual(lines(''), []);
    assert.deepEqual(lines('a'), lines('a\n'));
    assert.equal(stripBlanks('\0\r \u00a0a\u00a0 \x1f'), '\u00a0a\u00a0');
    assert.equal(stripEnd(' a '), ' a');
  });

  void it('are counted on over the files of an include', () => {
    const state = newReading();
    const findings = new Findings();
    const counted = ['a\nb\n', 'c\n\nd'].flatMap((text) =>
      [...readLines('x', Buffer.from(text), state, findings)].map((line) => [
        line?.place.line,
        line?.place.counted,
      ]),
    );
    // A file that ends with a line break has one line more for Asterisk.
    assert.deepEqual(counted, [
      [1, 1],
      [2, 2],
      [1, 4],
      [3, 6],
    ]);
    assert.equal(state.counted, 6);
  });

  void it('give way now and then, in the middle of comments, too', () => {
    const pauses = [...readLines('x', Buffer.from(';\n'.repeat(200)), newReading(), new Findings())];
    assert.deepEqual(pauses, [undefined, undefined, undefined]);
  });
});

void describe('A comment', () => {
  void it('goes to the end of its line, unless its semicolon is escaped', () => {
    assert.deepEqual(lines('a = b ; c'), ['1 a = b']);
    assert.deepEqual(lines('a = b \\; c ; d'), ['1 a = b ; c']);
    assert.deepEqual(lines(';a\n ; b'), []);
  });

  void it('in a block goes over lines and files, nests, and leaves what is before and behind it', () => {
    assert.deepEqual(lines('a ;-- x\n y\nz --; b\nc'), ['1 a', '3 b', '4 c']);
    assert.deepEqual(lines('a ;-- x --; b'), ['1 a  b']);
    assert.deepEqual(lines(';-- 1\n;-- 2\n--;\nx\n--;\na'), ['6 a']);
    assert.deepEqual(lines('a\n;--\nb', 'c\n--;\nd'), ['1 a', '3 d']);
    assert.deepEqual(lines(';--\na ; b --;\nc'), ['3 c']);
  });

  void it('of three dashes is an ordinary one', () => {
    assert.deepEqual(lines('a ;--- b\nc'), ['1 a', '2 c']);
    assert.equal(read(';---\n').state.depth, 0);
  });

  void it('that is open at the end is known by the place where it began', () => {
    const { state } = read('a\n ;-- x\n;--\n');
    assert.deepEqual([state.depth, state.openedAt], [2, { path: '0.conf', line: 2, counted: 2 }]);
    const closed = read('a\n;--\n--;\n').state;
    assert.deepEqual([closed.depth, closed.openedAt], [0, undefined]);
    // One that is closed and was not open makes a comment of all that follows.
    const below = read('a --;\nb\n');
    assert.equal(below.state.depth, -1);
    assert.deepEqual(below.lines, ['1 a --;']);
  });
});

void describe('A line that Asterisk reads otherwise than a person', () => {
  const FIT = 8190;

  void it('has more than 8,190 bytes: it is skipped, as an error unless it is a comment', () => {
    const whole = 'x'.repeat(FIT);
    assert.deepEqual(lines(`${whole}\nb\n`), [`1 ${whole}`, '2 b']);
    const long = read(`${whole}y\nb\n`);
    assert.deepEqual(long.lines, ['2 b']);
    assert.deepEqual(long.findings, [
      '0.conf:1 error The line is longer than 8190 bytes: Asterisk skips it.',
    ]);
    assert.match(read(`;${whole}y\nb\n`).findings.join(), /^0\.conf:1 warning /);
    assert.match(read(`;-- ${whole}\nb\n`).findings.join(), /^0\.conf:1 error /);
    assert.deepEqual(lines(`${'x'.repeat(50_000)}\nb\n`), ['2 b']);
  });

  void it('holds a NUL byte: it ends there', () => {
    const { lines: kept, findings } = read('a = b\0c\nd\n');
    assert.deepEqual(kept, ['1 a = b', '2 d']);
    assert.match(findings.join(), /^0\.conf:1 warning The line holds a NUL byte/);
  });

  void it('begins with a byte order mark: that is skipped in the first file alone', () => {
    const { lines: kept, findings } = read('\ufeff[a]\nb\n', '\ufeff[c]\n');
    assert.deepEqual(kept, ['1 [a]', '2 b', `1 ${Buffer.from('\ufeff[c]').toString('latin1')}`]);
    assert.deepEqual(
      findings.map((finding) => finding.slice(0, 14)),
      ['0.conf:1 warni', '1.conf:1 error'],
    );
  });
});
