/**
 * The key of an extension, equal for extensions that Asterisk treats as the same: dashes and blanks are ignored, and in a
 * pattern all spellings of a character set are equal (`N` is `[2-9]`). `caller` is the part after the slash, if any.
 */
export function extensionKey(extension: string, caller: string | undefined): string {
  return caller === undefined ? nameKey(extension) : `${nameKey(extension)}\0${nameKey(caller)}`;
}

function nameKey(name: string): string {
  const plain = name.replaceAll(' ', '');
  return plain.startsWith('_') ? `_${patternKey(plain.slice(1))}` : plain.replaceAll('-', '');
}

const LETTER_SETS: Readonly<Record<string, string>> = { X: '0123456789', Z: '123456789', N: '23456789' };

function patternKey(pattern: string): string {
  let key = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === '-') continue;
    if (character !== '[') {
      key += `[${LETTER_SETS[character.toUpperCase()] ?? character}]`;
      continue;
    }
    const end = pattern.indexOf(']', at);
    if (end === -1) {
      key += '[';
      continue;
    }
    const set = characterSet(pattern.slice(at + 1, end));
    if (set !== '') key += `[${set}]`;
    at = end;
  }
  return key;
}

function characterSet(text: string): string {
  const codes = new Set<number>();
  for (let at = 0; at < text.length; at += 1) {
    const first = text.charCodeAt(at);
    const isRange = text[at + 1] === '-' && at + 2 < text.length;
    const last = isRange ? text.charCodeAt(at + 2) : first;
    for (let code = first; code <= last; code += 1) codes.add(code);
    if (isRange) at += 2;
  }
  return String.fromCharCode(...[...codes].sort((a, b) => a - b));
}
