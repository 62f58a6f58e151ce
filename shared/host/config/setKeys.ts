/**
 * Sets top-level keys in the text of a configuration file and leaves everything else, comments included, as it is. A
 * key that is set on one line is replaced; one that stands there as a commented default takes that line's place; any
 * other goes to the end.
 * @param keys text after the colon, by key: one line, or a block that begins with a line end
 */
export function setKeys(text: string, keys: Readonly<Record<string, string>>): string {
  return Object.entries(keys).reduce((soFar, [key, value]) => setKey(soFar, key, value), text);
}

function setKey(text: string, key: string, value: string): string {
  const line = `${key}:${value.startsWith('\n') ? '' : ' '}${value}`;
  for (const written of [new RegExp(`^${key}:.*$`, 'm'), new RegExp(`^# ?${key}:.*$`, 'm')]) {
    if (written.test(text)) return text.replace(written, () => line);
  }
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
}
