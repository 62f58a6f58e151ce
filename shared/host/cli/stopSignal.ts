/**
 * Resolves with the first signal that asks this program to end. A second one ends it at once.
 * @param onReload called with each SIGHUP, unless that comes from a terminal that is closed: then it ends, too
 */
export function stopSignal(onReload?: () => void): Promise<NodeJS.Signals> {
  const reloads = onReload !== undefined && !process.stdin.isTTY;
  if (reloads) process.on('SIGHUP', onReload);
  const names = ['SIGTERM', 'SIGINT', ...(reloads ? [] : (['SIGHUP'] as const))] as const;
  return new Promise((resolve) => {
    for (const name of names) process.once(name, () => resolve(name));
  });
}

/** The same for what takes an AbortSignal: aborted once `stop` has resolved. */
export function abortedBy(stop: Promise<unknown>): AbortSignal {
  const ended = new AbortController();
  void stop.then(() => ended.abort());
  return ended.signal;
}
