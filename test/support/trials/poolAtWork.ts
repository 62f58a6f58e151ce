/** After this long, milliseconds, a request for the disk counts as one that could not even begin. */
const DISK_PATIENCE = 5_000;

/** Operations of Web Crypto that are in progress: Node does not list them among its active resources. */
let signing = 0;

for (const name of ['digest', 'exportKey', 'generateKey', 'importKey', 'sign', 'verify'] as const) {
  const operation = SubtleCrypto.prototype[name] as (...args: unknown[]) => Promise<unknown>;
  const counted = async function (this: SubtleCrypto, ...args: unknown[]): Promise<unknown> {
    signing += 1;
    try {
      return await operation.apply(this, args);
    } finally {
      signing -= 1;
    }
  };
  Object.defineProperty(SubtleCrypto.prototype, name, { value: counted });
}

/** A file handle that is being closed has a name of its own. */
function isDisk(kind: string): boolean {
  return kind.startsWith('FSReq') || kind === 'CloseReq';
}

/**
 * Whether the disk, or a key, is at work in the thread pool. That takes real time, in which the clock of a test must not
 * go on: on a busy machine minutes would pass on it, with all the messages that are sent meanwhile.
 */
export class PoolAtWork {
  #since: number | undefined;

  get isAtWork(): boolean {
    if (signing > 0) return true;
    const isAtWork = process.getActiveResourcesInfo().some(isDisk);
    this.#since = isAtWork ? (this.#since ?? performance.now()) : undefined;
    // A request that could not even begin counts as one until it is collected.
    return this.#since !== undefined && performance.now() - this.#since < DISK_PATIENCE;
  }
}
