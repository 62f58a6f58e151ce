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
  /** The section that is missing, where that is what is wrong. */
  readonly wants?: string;
  /** The file that has what stands in the way, such as the first definition of an extension. */
  readonly other?: string;
};

/** For people, and to tell findings apart. */
export function textOf({ path, line, message }: Finding): string {
  return `${path}, line ${String(line)}: ${message}`;
}

/**
 * Where a line stands. `counted` is its number in Asterisk's words, which run on over all files of one include. One
 * line has one place object for each time that it is read.
 */
export type Place = { readonly path: string; readonly line: number; readonly counted: number };

/** Findings of one file beyond these only hide the others. */
const MOST_OF_A_FILE = 50;

/** Takes findings; the same words about the same line are kept once (a template's line is read by each heir). */
export class Findings {
  readonly #kept = new Map<string, Finding>();
  /** Files that are no text, and the line that shows it. */
  readonly #binary = new Map<string, number>();

  /** @param other the file that has what stands in the way */
  error(place: Place, message: string, other?: string): void {
    this.#add(place, message, 'error', other === undefined ? {} : { other });
  }

  warning(place: Place, message: string): void {
    this.#add(place, message, 'warning');
  }

  /**
   * An error, or a warning where it depends on what can't be known.
   * @param wants the section that is missing
   */
  restLost(severity: Finding['severity'], place: Place, message: string, wants?: string): void {
    this.#add(place, message, severity, { losesRest: true, ...(wants !== undefined && { wants }) });
  }

  /** A line that no text file has. What else is wrong with its file is one finding then. */
  binary(place: Place): void {
    if (!this.#binary.has(place.path)) this.#binary.set(place.path, place.line);
  }

  /** In the order of files and lines. */
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
    // What loses the rest is never left out: it is what others judge by.
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
