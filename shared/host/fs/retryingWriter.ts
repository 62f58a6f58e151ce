import type { Logger } from '../log/logger.ts';
import { errnoOf } from './errno.ts';
import { withRemedy } from './remedy.ts';

/** Delay before a failed write is retried, milliseconds. */
const RETRY = 5_000;

/** Writes the program's own small files, and retries each until it succeeds. */
export class RetryingWriter {
  readonly #log: Logger;
  /** Pending writes, by name. */
  readonly #pending = new Map<string, { work: () => void; at: number; why: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The pending writes: name, time of the first failure (milliseconds since 1970), reason. */
  get troubles(): { what: string; at: number; why: string }[] {
    return [...this.#pending].map(([what, { at, why }]) => ({ what, at, why }));
  }

  /** @param what name for people; a later `work` of the same name replaces the pending one */
  write(what: string, work: () => void): void {
    try {
      work();
      if (this.#pending.delete(what)) this.#log.info('written down at last', { what });
    } catch (error) {
      const why = withRemedy(errnoOf(error));
      const known = this.#pending.get(what);
      if (known?.why !== why)
        this.#log.error('could not be written down; it is tried again', { what, error });
      this.#pending.set(what, { work, at: known?.at ?? Date.now(), why });
    }
    if (this.#pending.size > 0) this.#timer ??= setTimeout(() => this.#tryAgain(), RETRY).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#pending.clear();
  }

  #tryAgain(): void {
    this.#timer = undefined;
    for (const [what, { work }] of [...this.#pending]) this.write(what, work);
  }
}
