/**
 * Resolves with the first signal that asks this program to end. A second one kills it at once.
 * @param onReload called on each SIGHUP, except on that of a closed terminal, which ends the program
 */
export function stopSignal(onReload?: () => void): Promise<NodeJS.Signals> {
  const reloads = onReload !== undefined && !process.stdin.isTTY;
  if (reloads) process.on('SIGHUP', onReload);
  const names = ['SIGTERM', 'SIGINT', ...(reloads ? [] : (['SIGHUP'] as const))] as const;
  return new Promise((resolve) => {
    for (const name of names) process.once(name, () => resolve(name));
  });
}

/** The same as an AbortSignal, aborted once `stop` has resolved. */
export function abortedBy(stop: Promise<unknown>): AbortSignal {
  const ended = new AbortController();
  stop.then(
    () => ended.abort(),
    (error: unknown) => ended.abort(error),
  );
  return ended.signal;
}
