import ignore, { type Ignore } from 'ignore';

/** Excluded in every directory: files that desktops and file systems leave behind. */
const EVERYWHERE = ['.DS_Store', 'Thumbs.db', 'lost+found'];
/**
 * Excluded in a dialplan: Asterisk reads every file that is not hidden, so a backup that an editor or a package leaves
 * beside a file would become dialplan on every MDS. A `#` at the beginning of a pattern is a comment unless escaped.
 */
const IN_DIALPLAN = [
  '*~',
  '*.bak',
  '*.orig',
  '*.rej',
  '*.save',
  '*.dpkg-*',
  '*.rpm*',
  '.*.sw?',
  '\\#*#',
  '4913',
];

/** The default patterns. Configured patterns come after these, so `!*.bak` cancels one. */
export function defaultExcludes(reload: 'dialplan' | 'moh' | 'none'): readonly string[] {
  return reload === 'dialplan' ? [...EVERYWHERE, ...IN_DIALPLAN] : EVERYWHERE;
}

/** Characters of a pattern, and patterns of a directory. */
export const MAX_PATTERN = 256;
export const MAX_PATTERNS = 256;

/** Why a text is not a valid pattern; undefined when it is. */
export function refusePattern(pattern: string): string | undefined {
  if (pattern.trim() === '') return 'an empty pattern';
  if (pattern.length > MAX_PATTERN) return `longer than ${MAX_PATTERN} characters`;
  if (/[\n\r\0]/u.test(pattern)) return 'has a line break or a NUL in it';
  if (pattern.startsWith('#')) return `is a comment: write "\\${pattern}" for names that begin with #`;
  return undefined;
}

/** The library caches every path it is asked about, so the matcher is replaced after this many. */
const MAX_ASKED = 10_000;

/** The excluded names of one directory, by patterns as in a .gitignore file; case-sensitive. */
export class Excludes {
  readonly patterns: readonly string[];
  #rules: Ignore;
  #asked = 0;

  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#rules = rulesOf(patterns);
  }

  /**
   * The pattern that excludes a path, or a folder above it; undefined when none does.
   * @param path relative, as `decodeName` gives it: bytes that are not UTF-8 match `?` and `*` like others
   */
  patternFor(path: string, isFolder: boolean): string | undefined {
    if (this.patterns.length === 0) return undefined;
    this.#asked += 1;
    if (this.#asked > MAX_ASKED) {
      this.#rules = rulesOf(this.patterns);
      this.#asked = 0;
    }
    return this.#rules.test(isFolder ? `${path}/` : path).rule?.pattern;
  }
}

function rulesOf(patterns: readonly string[]): Ignore {
  return ignore({ ignoreCase: false }).add(patterns.map((pattern) => ({ pattern })));
}
