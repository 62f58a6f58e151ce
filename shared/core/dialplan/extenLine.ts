/* How Asterisk takes the text of an `exten` line apart (pbx_config.c). */

/** A caller's number without the signs that people write into numbers. */
export function shrunkNumber(number: string): string {
  return number.replaceAll(/\[[^\]]*\]?|[-( )]|\.(?=.)/g, (part) => (part.startsWith('[') ? part : ''));
}

/** Blanks in an extension count for nothing, but in a pattern's set of characters they do. */
export function withoutBlanks(extension: string): string {
  if (!extension.startsWith('_')) return extension.replaceAll(' ', '');
  return extension.replaceAll(/\[[^\]]*\]?| /g, (part) => (part === ' ' ? '' : part));
}

/** Splits at the first comma that is neither in brackets nor after a backslash. */
export function splitExtension(value: string): { head: string; rest: string | undefined } {
  let depth = 0;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (character === '[') depth += 1;
    else if (character === ']') depth = Math.max(0, depth - 1);
    else if (character === '\\') at += 1;
    else if (character === ',' && depth === 0) return { head: value.slice(0, at), rest: value.slice(at + 1) };
  }
  return { head: value, rest: undefined };
}

/** Splits at the first comma. */
export function splitAtComma(text: string | undefined): { head: string; rest: string | undefined } {
  const at = text?.indexOf(',') ?? -1;
  if (text === undefined || at === -1) return { head: text ?? '', rest: undefined };
  return { head: text.slice(0, at), rest: text.slice(at + 1) };
}
