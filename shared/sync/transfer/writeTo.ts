/** The common part of Node's and tar-stream's writable streams. */
type Target = {
  write(chunk: Uint8Array): boolean;
  readonly destroyed?: boolean;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
};

/** The stream has been closed; the cause is reported elsewhere. */
export class GivenUp extends Error {
  constructor() {
    super('the archive was abandoned');
  }
}

/**
 * Writes, and resolves when there is room for more.
 * @returns undefined when there is room at once, which saves a promise for each of thousands of small pieces
 * @throws when the stream is closed or closes first, since no 'drain' will come then
 */
export function writeTo(target: Target, chunk: Uint8Array): Promise<void> | undefined {
  if (isClosed(target)) throw new GivenUp();
  if (target.write(chunk)) return undefined;
  // A stream that closed during this write has emitted its last event already.
  if (isClosed(target)) throw new GivenUp();
  return new Promise((resolve, reject) => {
    const forget = (): void => {
      target.off('drain', onDrain);
      target.off('close', onClose);
    };
    const onDrain = (): void => {
      forget();
      resolve();
    };
    const onClose = (): void => {
      forget();
      reject(new GivenUp());
    };
    target.on('drain', onDrain);
    target.on('close', onClose);
  });
}

function isClosed(target: Target): boolean {
  return target.destroyed === true;
}
