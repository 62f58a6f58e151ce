import type { Finding } from '#core/dialplan/finding.ts';
import { type DialplanReading, dialplanSteps } from '#core/dialplan/lint.ts';
import { type DialplanPlace, dialplanWorld } from '#host/dialplan/place.ts';
import type { Clock } from '#host/time/clock.ts';
import { inSlices } from '#host/time/timeSlice.ts';

/** Delay after a change before the folder is read, milliseconds: delivering the change comes first. */
const REST = 100;

export type DialplanCheckOptions = {
  readonly place: DialplanPlace;
  readonly clock: Clock;
  /** True when a path of the folder is delivered to the MDS. */
  readonly travels: (path: string) => boolean;
  /** Called once for each finding, when it appears and when it is gone. */
  readonly onBegan: (path: string, message: string) => void;
  readonly onEnded: (path: string) => void;
  readonly onError: (error: unknown) => void;
};

/** Lints Main's own dialplan folder after every change in it. */
export class DialplanCheck {
  readonly #options: DialplanCheckOptions;
  #warnings: ReadonlyMap<string, string> = new Map();
  /** Sections that the folder once defined: if one is missing later, no other file defines it. */
  readonly #seen = new Set<string>();
  readonly #closing = new AbortController();
  #cancel: (() => void) | undefined;
  /** The reading that is in progress; a large folder takes seconds. */
  #reading: Promise<void> | undefined;
  /** True when the folder has changed since that reading began. */
  #isOutdated = false;

  constructor(options: DialplanCheckOptions) {
    this.#options = options;
  }

  /** Findings by path. */
  get warnings(): ReadonlyMap<string, string> {
    return this.#warnings;
  }

  /** Called when something in the folder has changed. */
  look(): void {
    if (this.#reading !== undefined) this.#isOutdated = true;
    else if (!this.#closing.signal.aborted)
      this.#cancel ??= this.#options.clock.after(REST, () => this.#start());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel?.();
    await this.#reading;
  }

  #start(): void {
    this.#cancel = undefined;
    this.#isOutdated = false;
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
      if (this.#isOutdated) this.look();
    });
  }

  async #read(): Promise<void> {
    try {
      this.#take(await this.#judge());
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      // The directory is missing: the check continues with the next change in it.
      this.#options.onError(error);
    }
  }

  async #judge(): Promise<Map<string, string>> {
    const { place, travels } = this.#options;
    const { signal } = this.#closing;
    const own = await inSlices(dialplanSteps(dialplanWorld(place)), signal);
    const found = new Map<string, string>();
    this.#note(own, found, '');
    if ([...own.files].every((path) => path.startsWith('/') || travels(path))) return found;
    const theirs = await inSlices(dialplanSteps(dialplanWorld(place, undefined, travels)), signal);
    this.#note(theirs, found, 'on the MDS, which do not get every file of this folder: ');
    return found;
  }

  /** The first error of each file stands for the others. */
  #note({ findings, sections }: DialplanReading, found: Map<string, string>, where: string): void {
    for (const finding of findings) {
      if (found.has(finding.path) || !this.#isError(finding)) continue;
      found.set(finding.path, `${where}line ${String(finding.line)}: ${finding.message}`);
    }
    for (const name of sections.keys()) this.#seen.add(name);
  }

  #isError({ severity, wants }: Finding): boolean {
    return severity === 'error' || (wants !== undefined && this.#seen.has(wants));
  }

  #take(found: ReadonlyMap<string, string>): void {
    const before = this.#warnings;
    this.#warnings = found;
    for (const [path, message] of found)
      if (before.get(path) !== message) this.#options.onBegan(path, message);
    for (const path of before.keys()) if (!found.has(path)) this.#options.onEnded(path);
  }
}
