import { encodeName } from '../path/nameBytes.ts';

/** Most alternatives of one pattern's braces that are expanded; no hand-written pattern has more. */
const MOST_ALTERNATIVES = 200;

/**
 * The paths that glob(3) finds for Asterisk's includes (GLOB_NOMAGIC and GLOB_BRACE), in its order: each
 * alternative of braces for itself, sorted byte by byte. Wildcards don't match a leading dot. A pattern without
 * wildcards is returned as it is, whether there is such a file or not.
 *
 * @param pattern absolute
 * @param list the names in a folder
 */
export function expandGlob(pattern: string, list: (folder: string) => readonly string[]): string[] {
  return expandBraces(pattern).flatMap((each) =>
    expandOne(each, list).sort((a, b) => Buffer.compare(encodeName(a), encodeName(b))),
  );
}

function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const waiting = [pattern];
  while (waiting.length > 0 && waiting.length + done.length < MOST_ALTERNATIVES) {
    const next = waiting.shift() ?? '';
    const braces = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(next);
    if (braces === null) {
      done.push(next);
      continue;
    }
    const [, before = '', inside = '', after = ''] = braces;
    waiting.unshift(...inside.split(',').map((alternative) => `${before}${alternative}${after}`));
  }
  return done;
}

function expandOne(pattern: string, list: (folder: string) => readonly string[]): string[] {
  let found = [''];
  for (const segment of pattern.split('/').slice(1)) {
    if (segment === '') continue;
    if (!/[*?[]/.test(segment)) {
      found = found.map((folder) => `${folder}/${segment.replaceAll(/\\(.)/g, '$1')}`);
      continue;
    }
    const matches = segmentMatcher(segment);
    found = found.flatMap((folder) =>
      list(folder === '' ? '/' : folder)
        .filter(matches)
        .map((name) => `${folder}/${name}`),
    );
  }
  return found;
}

function segmentMatcher(segment: string): (name: string) => boolean {
  const source = segment.replaceAll(
    /\\(.)|\[([!^]?)(\]?[^\]]*)\]|[*?]|[^*?\\[]/gs,
    (part: string, escaped: string | undefined, not: string | undefined, set: string | undefined) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not === '' ? '' : '^'}${set.replaceAll(/[\\\]^]/g, '\\$&')}]`;
      if (part === '*') return '.*';
      return part === '?' ? '.' : literal(part);
    },
  );
  const pattern = compiled(source.replaceAll(/(?<!\\)\[(?![^\]]*\])/g, '\\['));
  return (name) => (segment.startsWith('.') || !name.startsWith('.')) && pattern?.test(name) === true;
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** An invalid set of characters matches nothing. */
function compiled(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return undefined;
  }
}
