import type { Logger } from '../log/logger.ts';
import { errnoOf } from './errno.ts';
import { withRemedy } from './remedy.ts';

/** What could not be written is tried again after this long, milliseconds. */
const RETRY = 5_000;

/** Writes small files of this program's own, again and again until the disk lets it. */
export class Persistent {
  readonly #log: Logger;
  /** Why each was not written yet, by what it is. */
  readonly #owed = new Map<string, { work: () => void; at: number; why: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What is not written yet: since when (milliseconds since 1970), and why. */
  get troubles(): { what: string; at: number; why: string }[] {
    return [...this.#owed].map(([what, { at, why }]) => ({ what, at, why }));
  }

  /** @param what names it for people; another `work` for the same takes its place */
  write(what: string, work: () => void): void {
    try {
      work();
      if (this.#owed.delete(what)) this.#log.info('written down at last', { what });
    } catch (error) {
      const why = withRemedy(errnoOf(error));
      const known = this.#owed.get(what);
      if (known?.why !== why)
        this.#log.error('could not be written down; it is tried again', { what, error });
      this.#owed.set(what, { work, at: known?.at ?? Date.now(), why });
    }
    if (this.#owed.size > 0) this.#timer ??= setTimeout(() => this.#tryAgain(), RETRY).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#owed.clear();
  }

  #tryAgain(): void {
    this.#timer = undefined;
    for (const [what, { work }] of [...this.#owed]) this.write(what, work);
  }
}
