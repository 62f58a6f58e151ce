import type { Progress } from '../../control/contract.ts';
import { ProgressLines } from './progress.ts';
import { canRedraw, printError, redraw } from './terminal.ts';

/** What is done within this time shows nothing, milliseconds. */
const SHOW_AFTER = 1_000;
const REDRAW_EVERY = 500;
/** Lines at a time: the rest of the screen stays as it is. */
const MOST_LINES = 8;
/** Exit code of a program that Ctrl-C ended, as a shell counts it. */
export const INTERRUPTED = 130;

export type ShownProgress = Disposable & {
  readonly update: (progress: Progress) => void;
  /** The same, shown at once: the event loop is about to be busy for long. */
  readonly updateNow: (progress: Progress) => void;
};

/**
 * Shows on a terminal how far a command is, once it takes longer than a second, and clears that away when it is disposed.
 * Nothing is shown where standard error is no terminal. Ctrl-C ends the waiting, and nothing else.
 * @param options.waits false if this program does the work itself, and handles Ctrl-C
 */
export function showProgress({ waits = true }: { readonly waits?: boolean } = {}): ShownProgress {
  const nothing = (): void => undefined;
  if (!canRedraw()) return { update: nothing, updateNow: nothing, [Symbol.dispose]: nothing };
  const lines = new ProgressLines();
  const beganAt = performance.now();
  const draw = (): void => {
    if (performance.now() - beganAt >= SHOW_AFTER) redraw(lines.lines(MOST_LINES));
  };
  const timer = setInterval(draw, REDRAW_EVERY).unref();
  const interrupted = (): void => {
    redraw([]);
    printError('interrupted: work that has started continues; "xivo-xds-sync status" shows its progress');
    process.exit(INTERRUPTED);
  };
  if (waits) process.once('SIGINT', interrupted);
  return {
    update: (progress) => lines.update(progress, performance.now()),
    updateNow: (progress) => {
      lines.update(progress, performance.now());
      redraw(lines.lines(MOST_LINES));
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      process.off('SIGINT', interrupted);
      redraw([]);
    },
  };
}
