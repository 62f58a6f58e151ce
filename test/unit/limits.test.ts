import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');
const MAX_FILE_LINES = 300;
const MAX_CLASS_LINES = 250;
const MAX_FOLDER_FILES = 15;
const MAX_OPTIONS = 8;

const files = globSync('{protocol,shared,controller,agent,install}/**/*.{ts,tsx}', { cwd: CHECKOUT }).map(
  (file) => ({ file, lines: readFileSync(path.join(CHECKOUT, file), 'utf8').trimEnd().split('\n') }),
);

describe('The size of things', () => {
  it(`no product file has more than ${MAX_FILE_LINES} lines`, () => {
    const sizes = files.map(({ file, lines }) => [file, lines.length] as const);
    hold(new Map(sizes), MAX_FILE_LINES);
  });

  it(`no class has more than ${MAX_CLASS_LINES} lines`, () => {
    const sizes = files.flatMap(({ file, lines }) => classesIn(file, lines));
    assert.ok(sizes.length > 100);
    hold(new Map(sizes), MAX_CLASS_LINES);
  });

  it(`no folder has more than ${MAX_FOLDER_FILES} files`, () => {
    const sizes = Map.groupBy(files, ({ file }) => path.dirname(file));
    hold(new Map([...sizes].map(([folder, all]) => [folder, all.length])), MAX_FOLDER_FILES);
  });

  it(`no type of options has more than ${MAX_OPTIONS} members`, () => {
    const sizes = files.flatMap(({ file, lines }) => optionsIn(file, lines));
    assert.ok(sizes.length > 50);
    hold(new Map(sizes), MAX_OPTIONS);
  });
});

/** The formatted source ends a class with a brace in the column where it began. */
function classesIn(file: string, lines: readonly string[]): (readonly [name: string, lines: number])[] {
  return lines.flatMap((line, start) => {
    const name = /^(?:export )?(?:abstract )?class (\w+)/.exec(line)?.[1];
    if (name === undefined) return [];
    const end = line.endsWith('}') ? start : lines.indexOf('}', start);
    return [[`${file}: ${name}`, end - start + 1] as const];
  });
}

/** The formatted source indents the members of a type by two blanks. */
function optionsIn(file: string, lines: readonly string[]): (readonly [name: string, members: number])[] {
  return lines.flatMap((line, start) => {
    const name = /^(?:export )?(?:type|interface) (\w+Options)\b.*\{$/.exec(line)?.[1];
    if (name === undefined) return [];
    const end = lines.findIndex((each, at) => at > start && each.startsWith('}'));
    const members = lines.slice(start, end).filter((each) => /^ {2}(?:readonly )?\w+\??[:(]/.test(each));
    return [[`${file}: ${name}`, members.length] as const];
  });
}

function hold(sizes: ReadonlyMap<string, number>, limit: number): void {
  const wrong = [...sizes].filter(([, size]) => size > limit);
  assert.deepEqual(wrong, [], `over ${limit}: divide it by idea`);
}
