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

/** A file with more errors than this is not dialplan, and all its errors become one finding. */
const MOST_ERRORS = 1000;

/** Collects findings. Equal findings about one line are kept once, since a template's line is read for each section that uses it. */
export class Findings {
  readonly #kept = new Map<string, Finding>();
  /** Binary files, with the line that proves it. */
  readonly #binary = new Map<string, number>();
  /** How many errors each file has. */
  readonly #errors = new Map<string, number>();

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

  /** True when a file has so many errors that it is not dialplan, and need not be read further. */
  isFull(path: string): boolean {
    return (this.#errors.get(path) ?? 0) > MOST_ERRORS;
  }

  /** All findings in order of files and lines, however many: a change is judged by comparing them with those before it. */
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
    const [first] = errors;
    if (first === undefined || errors.length <= MOST_ERRORS) return found;
    const message = `Asterisk drops this line, and more than ${String(MOST_ERRORS)} others of the file: it is not dialplan.`;
    const kept = found.filter(({ severity, losesRest }) => losesRest || severity === 'warning');
    return [{ path, line: first.line, message, severity: 'error' }, ...kept];
  }

  #add(
    place: Place,
    message: string,
    severity: Finding['severity'],
    more: Pick<Finding, 'losesRest' | 'wants' | 'other'> = {},
  ): void {
    if (severity === 'error' && more.losesRest !== true && this.isFull(place.path)) return;
    const key = `${place.path}\0${String(place.line)}\0${message}`;
    if (severity === 'error' && !this.#kept.has(key)) {
      this.#errors.set(place.path, (this.#errors.get(place.path) ?? 0) + 1);
    }
    this.#kept.set(key, { path: place.path, line: place.line, message, severity, ...more });
  }
}
