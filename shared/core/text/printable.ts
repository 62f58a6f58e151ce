/** Everything that moves a cursor, ends a line, hides or reorders text, or stands for a byte that is not UTF-8. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu;

/**
 * A file name, or any text from outside, as it may appear in a terminal or a log line: one line, no control
 * sequence, and no two names that look the same.
 *
 * ASCII controls, the backslash, and bytes that are not UTF-8 (lone surrogates U+DC80..U+DCFF) become `\xNN`;
 * other invisible characters, such as C1 controls and direction overrides, become `\u{N}`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return hexByte(code);
    if (code >= 0xdc80 && code <= 0xdcff) return hexByte(code - 0xdc00);
    return `\\u{${code.toString(16)}}`;
  });
}

function hexByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
