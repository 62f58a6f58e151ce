/** Resolves with the first signal that asks this program to end. A second one ends it at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => resolve(name));
  });
}

/** The same for what takes an AbortSignal: aborted once `stop` has resolved. */
export function abortedBy(stop: Promise<unknown>): AbortSignal {
  const ended = new AbortController();
  void stop.then(() => ended.abort());
  return ended.signal;
}
