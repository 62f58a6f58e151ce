import type { Finding } from '#core/dialplan/finding.ts';
import { type DialplanReading, readDialplan } from '#core/dialplan/lint.ts';
import { type DialplanPlace, dialplanWorld } from '#host/dialplan/place.ts';
import type { Clock } from '#host/time/clock.ts';

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
  #cancel: (() => void) | undefined;

  constructor(options: DialplanCheckOptions) {
    this.#options = options;
  }

  /** Findings by path. */
  get warnings(): ReadonlyMap<string, string> {
    return this.#warnings;
  }

  /** Called when something in the folder has changed. */
  look(): void {
    this.#cancel ??= this.#options.clock.after(REST, () => this.#read());
  }

  close(): void {
    this.#cancel?.();
  }

  #read(): void {
    this.#cancel = undefined;
    try {
      this.#take(this.#judge());
    } catch (error) {
      // The directory is missing: the check continues with the next change in it.
      this.#options.onError(error);
    }
  }

  #judge(): Map<string, string> {
    const { place, travels } = this.#options;
    const own = readDialplan(dialplanWorld(place));
    const found = new Map<string, string>();
    this.#note(own, found, '');
    if ([...own.files].every((path) => path.startsWith('/') || travels(path))) return found;
    const theirs = readDialplan(dialplanWorld(place, undefined, travels));
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
