/** End of the message about a change set that lint blocked. */
export const BLOCKED_BY_LINT = '(lint: block)';

/**
 * A finding of lint about one line. An `error` is a loss that Asterisk would not report: a line, the rest of a file, or
 * every later file missing from the live dialplan. A `warning` is a line that Asterisk accepts or may accept, since files
 * outside the folder are not known here.
 */
export type Finding = {
  readonly path: string;
  /** Counted from 1 within the file, as an editor shows it. */
  readonly line: number;
  readonly message: string;
  readonly severity: 'error' | 'warning';
  /** True when the rest of the file and all later files of the folder are lost, too. */
  readonly losesRest?: true;
  /** The missing section, if that is the problem. */
  readonly wants?: string;
  /** The file that is in conflict, such as the one with the first definition of an extension. */
  readonly other?: string;
};

/** For people; also distinguishes findings. */
export function textOf({ path, line, message }: Finding): string {
  return `${path}, line ${String(line)}: ${message}`;
}

/**
 * The place of a line. `counted` is Asterisk's line number, which continues over all files of one include. A line has one
 * place object for each time that it is read.
 */
export type Place = { readonly path: string; readonly line: number; readonly counted: number };

/** Most findings for one file, so that they don't hide those of others. */
const MOST_OF_A_FILE = 50;

/** Collects findings. Equal findings about one line are kept once, since a template's line is read for each section that uses it. */
export class Findings {
  readonly #kept = new Map<string, Finding>();
  /** Binary files, with the line that proves it. */
  readonly #binary = new Map<string, number>();

  /** @param other the file that is in conflict */
  error(place: Place, message: string, other?: string): void {
    this.#add(place, message, 'error', other === undefined ? {} : { other });
  }

  warning(place: Place, message: string): void {
    this.#add(place, message, 'warning');
  }

  /**
   * Adds an error, or a warning where it depends on files that are not known.
   * @param wants the missing section
   */
  restLost(severity: Finding['severity'], place: Place, message: string, wants?: string): void {
    this.#add(place, message, severity, { losesRest: true, ...(wants !== undefined && { wants }) });
  }

  /** Notes a binary line. All problems of its file become one finding then. */
  binary(place: Place): void {
    if (!this.#binary.has(place.path)) this.#binary.set(place.path, place.line);
  }

  /** All findings in order of files and lines. */
  list(): Finding[] {
    const byFile = Map.groupBy(this.#kept.values(), ({ path }) => path);
    return [...byFile]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([path, found]) =>
        this.#ofFile(
          path,
          found.sort((a, b) => a.line - b.line),
        ),
      );
  }

  #ofFile(path: string, found: readonly Finding[]): readonly Finding[] {
    const errors = found.filter(({ severity }) => severity === 'error');
    const line = this.#binary.get(path);
    if (line !== undefined && errors.length > 1) {
      const message = 'The file is not text (the line holds a NUL byte): Asterisk drops most of it.';
      const losesRest = errors.some((each) => each.losesRest);
      return [{ path, line, message, severity: 'error', ...(losesRest && { losesRest }) }];
    }
    if (found.length <= MOST_OF_A_FILE) return found;
    // A finding that loses the rest is never left out, since callers depend on it.
    const [first, others] = [found.filter((each) => each.losesRest), found.filter((each) => !each.losesRest)];
    return [...first, ...others.slice(0, MOST_OF_A_FILE)].sort((a, b) => a.line - b.line);
  }

  #add(
    place: Place,
    message: string,
    severity: Finding['severity'],
    more: Pick<Finding, 'losesRest' | 'wants' | 'other'> = {},
  ): void {
    const key = `${place.path}\0${String(place.line)}\0${message}`;
    this.#kept.set(key, { path: place.path, line: place.line, message, severity, ...more });
  }
}
