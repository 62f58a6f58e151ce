/** How long something may hold a daemon open that has stopped, milliseconds. */
const PATIENCE = 3_000;

/**
 * Ends the process, with the exit code that it has by then, though something (a watch that never became ready, a peer's
 * half-closed socket) still holds it open. Everything that has to be finished is finished before: this is called at the end of a stop.
 */
export function exitAtLast(): void {
  setTimeout(() => process.exit(), PATIENCE).unref();
}
