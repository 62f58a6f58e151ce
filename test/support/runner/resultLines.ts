import type { TestEvent } from 'node:test/reporters';

/** What became of one test. `skip` is why it did not run. */
export type Result = {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly skip?: string;
  /** Where it is defined: the test file, or a helper of it. */
  readonly from?: string;
};

/** A reporter for `--test-reporter`: one {@link Result} a line, as JSON. */
export default async function* resultLines(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, skip, details, file } = event.data;
    // A suite is no test of its own, but when it is skipped its tests are never heard of.
    if (details.type === 'suite' && skip === undefined) continue;
    const result = resultOf(name, event.type === 'test:pass', skip);
    yield `${JSON.stringify(file === undefined ? result : { ...result, from: file })}\n`;
  }
}

function resultOf(name: string, passed: boolean, skip: string | boolean | undefined): Result {
  if (!passed) return { name, outcome: 'failed' };
  if (skip === undefined || skip === false) return { name, outcome: 'passed' };
  return { name, outcome: 'skipped', skip: skip === true || skip === '' ? 'no reason given' : skip };
}
