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
    const braces = firstBraces(next);
    if (braces === undefined) {
      done.push(next);
      continue;
    }
    const { before, alternatives, after } = braces;
    waiting.unshift(...alternatives.map((alternative) => `${before}${alternative}${after}`));
  }
  return done;
}

/** The first braces that are closed, with their alternatives; inner braces stay as they are. */
function firstBraces(
  pattern: string,
): { before: string; alternatives: readonly string[]; after: string } | undefined {
  for (let open = pattern.indexOf('{'); open !== -1; open = pattern.indexOf('{', open + 1)) {
    const alternatives: string[] = [];
    let [depth, from] = [1, open + 1];
    for (let at = open + 1; at < pattern.length; at += 1) {
      const character = pattern[at];
      if (character === '{') depth += 1;
      else if (character === '}') depth -= 1;
      if (depth > 1 || (depth === 1 && character !== ',')) continue;
      alternatives.push(pattern.slice(from, at));
      from = at + 1;
      if (depth === 0) return { before: pattern.slice(0, open), alternatives, after: pattern.slice(from) };
    }
  }
  return undefined;
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
    /\\(.)|\[([!^]?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]|[*?]|[^*?\\[]/gs,
    (part: string, escaped: string | undefined, not: string | undefined, set: string | undefined) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not === '' ? '' : '^'}${setSource(set)}]`;
      if (part === '*') return '.*';
      return part === '?' ? '.' : literal(part);
    },
  );
  const pattern = compiled(source.replaceAll(/(?<!\\)\[(?![^\]]*\])/g, '\\['));
  return (name) => (segment.startsWith('.') || !name.startsWith('.')) && pattern?.test(name) === true;
}

/** The classes of characters of the C locale. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  blank: ' \\t',
  cntrl: '\\0-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9a-fA-F',
};

function setSource(set: string): string {
  return set.replaceAll(/\[:([a-z]+):\]|[\\\][^]/g, (part: string, name: string | undefined) =>
    name === undefined ? `\\${part}` : (CLASSES[name] ?? ''),
  );
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
