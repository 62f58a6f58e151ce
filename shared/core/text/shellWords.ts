/**
 * Splits a command the way a shell splits words: blanks separate, '…' is literal, "…" keeps blanks, a backslash
 * takes the next character as it is. Nothing is expanded: no variables, no globs, no `;` or `|`.
 * @throws RangeError when a quote stays open or the text ends in a backslash
 */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === quote) {
      quote = undefined;
    } else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (character === '\\' && quote !== "'") {
      i += 1;
      if (i === text.length) throw new RangeError(`"${text}" ends in a backslash`);
      // POSIX: inside double quotes a backslash is special only before these.
      const literal = quote === '"' && !'"\\$`'.includes(text.charAt(i));
      word = (word ?? '') + (literal ? '\\' : '') + text.charAt(i);
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) throw new RangeError(`"${text}" has a ${quote} that is never closed`);
  if (word !== undefined) words.push(word);
  return words;
}
