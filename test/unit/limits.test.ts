import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');
const MAX_FILE_LINES = 300;
const MAX_CLASS_LINES = 250;
const MAX_FOLDER_FILES = 15;

/**
 * What is still larger, with the size it may have. A number may only become smaller, and its line goes when the limit
 * itself is kept.
 */
const LARGE_FILES: Readonly<Record<string, number>> = {
  'agent/directory/agentDirectory.ts': 340,
};
const LARGE_CLASSES: Readonly<Record<string, number>> = {
  'agent/directory/agentDirectory.ts: AgentDirectory': 300,
};
const FULL_FOLDERS: Readonly<Record<string, number>> = {};

const files = globSync('{protocol,shared,controller,agent,install}/**/*.{ts,tsx}', { cwd: CHECKOUT }).map(
  (file) => ({ file, lines: readFileSync(path.join(CHECKOUT, file), 'utf8').trimEnd().split('\n') }),
);

describe('The size of things', () => {
  it(`no product file has more than ${MAX_FILE_LINES} lines`, () => {
    const sizes = files.map(({ file, lines }) => [file, lines.length] as const);
    hold(new Map(sizes), MAX_FILE_LINES, LARGE_FILES);
  });

  it(`no class has more than ${MAX_CLASS_LINES} lines`, () => {
    const sizes = files.flatMap(({ file, lines }) => classesIn(file, lines));
    assert.ok(sizes.length > 100);
    hold(new Map(sizes), MAX_CLASS_LINES, LARGE_CLASSES);
  });

  it(`no folder has more than ${MAX_FOLDER_FILES} files`, () => {
    const sizes = Map.groupBy(files, ({ file }) => path.dirname(file));
    hold(new Map([...sizes].map(([folder, all]) => [folder, all.length])), MAX_FOLDER_FILES, FULL_FOLDERS);
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

/** Everything keeps the limit, or what it is allowed; and no exception outlives its need. */
function hold(
  sizes: ReadonlyMap<string, number>,
  limit: number,
  allowed: Readonly<Record<string, number>>,
): void {
  const wrong = [...sizes].filter(([name, size]) => size > Math.max(limit, allowed[name] ?? 0));
  assert.deepEqual(wrong, [], `over ${limit}: divide it by idea`);
  const over = Object.keys(allowed).filter((name) => (sizes.get(name) ?? 0) <= limit);
  assert.deepEqual(over, [], 'no exception any more: remove its line');
}
