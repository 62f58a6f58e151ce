import { stripBlanks } from './lines.ts';

/** A directive: a line that begins with `#`. `argument` is as written (Latin-1), without its quotes. */
export type Directive =
  | { readonly kind: 'include' | 'tryinclude' | 'exec'; readonly argument: string }
  | { readonly kind: 'nameless'; readonly word: string }
  | { readonly kind: 'unknown'; readonly word: string };

/** @param text the line from its `#` on, blanks trimmed */
export function readDirective(text: string): Directive {
  const word = /^#([^\0- \x80-\xff]*)/.exec(text)?.[1] ?? '';
  const argument = unquoted(stripBlanks(text.slice(word.length + 2)));
  const kind = word.toLowerCase();
  if (kind !== 'include' && kind !== 'tryinclude' && kind !== 'exec') return { kind: 'unknown', word };
  return argument === '' ? { kind: 'nameless', word: kind } : { kind, argument };
}

function unquoted(argument: string): string {
  const closing = argument.startsWith('"') ? '"' : argument.startsWith('<') ? '>' : undefined;
  if (closing === undefined || !argument.endsWith(closing)) return argument;
  return argument.slice(1, -1);
}
