/** How long a stopped daemon may stay alive because of open handles, milliseconds. */
const PATIENCE = 3_000;

/**
 * Ends the process with its current exit code even if a handle (a watch that never became ready, a peer's half-closed
 * socket) keeps it alive. Called at the end of a stop, when all work is done.
 */
export function exitAtLast(): void {
  setTimeout(() => process.exit(), PATIENCE).unref();
}
