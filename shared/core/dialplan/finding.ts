/** How the message of a change set ends that lint kept from being activated. */
export const BLOCKED_BY_LINT = '(lint: block)';

/**
 * What lint says about one line. An `error` is a loss that Asterisk would not tell anyone about: a line, the
 * rest of a file or every later file missing from the live plan. A `warning` is anything that Asterisk takes,
 * or may take: what a file refers to outside the folder is not known here.
 */
export type Finding = {
  readonly path: string;
  /** Counted from 1 within the file, as an editor shows it. */
  readonly line: number;
  readonly message: string;
  readonly severity: 'error' | 'warning';
  /** Not this line alone: the rest of the file and every later file of the folder is gone, too. */
  readonly losesRest?: true;
};

/** Where a line stands. `counted` is its number in Asterisk's words, which run on over all files of the folder. */
export type Place = { readonly path: string; readonly line: number; readonly counted: number };

/** Takes findings; the same words about the same line are kept once (a template's line is read by each heir). */
export class Findings {
  readonly #kept = new Map<string, Finding>();

  error(place: Place, message: string): void {
    this.#add(place, message, 'error');
  }

  warning(place: Place, message: string): void {
    this.#add(place, message, 'warning');
  }

  /** An error, or a warning where it depends on what is outside the folder. */
  restLost(severity: Finding['severity'], place: Place, message: string): void {
    this.#add(place, message, severity, true);
  }

  /** In the order of files and lines. */
  list(): Finding[] {
    return [...this.#kept.values()].sort((a, b) =>
      a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1,
    );
  }

  #add(place: Place, message: string, severity: Finding['severity'], losesRest = false): void {
    const key = `${place.path}\0${String(place.line)}\0${message}`;
    const finding = { path: place.path, line: place.line, message, severity };
    this.#kept.set(key, losesRest ? { ...finding, losesRest } : finding);
  }
}
