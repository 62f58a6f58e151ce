import { EXIT } from '../cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';

/** The result of one check. `warning` can wait; `failed` keeps the program from working. */
export type Check = {
  readonly name: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** The remedy. */
  readonly remedy?: string;
};

const MARKS = { ok: 'ok', warning: 'WARNING', failed: 'FAILED' } as const;

/** One line per check, with the remedy below those that are not ok. */
export function renderChecks(checks: readonly Check[]): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, result, detail, remedy }) => {
    const line = `${MARKS[result].padEnd(7)}  ${name.padEnd(width)}  ${printable(detail)}`;
    return remedy === undefined || result === 'ok' ? [line] : [line, `${' '.repeat(width + 11)}${remedy}`];
  });
}

/** 0 when all checks passed, otherwise 1. */
export function exitCodeOf(checks: readonly Check[]): number {
  return checks.some(({ result }) => result === 'failed') ? EXIT.failed : EXIT.done;
}

/** Runs a check that fails by throwing. */
export function attempt(name: string, remedy: string, look: () => string): Check {
  try {
    return { name, result: 'ok', detail: look() };
  } catch (error) {
    return { name, result: 'failed', detail: error instanceof Error ? error.message : String(error), remedy };
  }
}
