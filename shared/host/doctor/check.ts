import { EXIT } from '../cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';

/** One thing that was looked at. `warning` can wait; `failed` keeps the program from its work. */
export type Check = {
  readonly name: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
};

const MARKS = { ok: 'ok', warning: 'WARNING', failed: 'FAILED' } as const;

/** A line a check, and what to do under those that are not ok. */
export function renderChecks(checks: readonly Check[]): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, result, detail, remedy }) => {
    const line = `${MARKS[result].padEnd(7)}  ${name.padEnd(width)}  ${printable(detail)}`;
    return remedy === undefined || result === 'ok' ? [line] : [line, `${' '.repeat(width + 11)}${remedy}`];
  });
}

export function exitCodeOf(checks: readonly Check[]): number {
  return checks.some(({ result }) => result === 'failed') ? EXIT.failed : EXIT.done;
}

/** Runs a check that tells its trouble by throwing. */
export function attempt(name: string, remedy: string, look: () => string): Check {
  try {
    return { name, result: 'ok', detail: look() };
  } catch (error) {
    return { name, result: 'failed', detail: error instanceof Error ? error.message : String(error), remedy };
  }
}
