import { columns } from './terminal.ts';

/** A command is not broken across lines, so that it can be copied. */
const COMMAND = /xivo-xds-sync(?:-agent)? [^;,.()"]+/g;

/** Wraps a text at spaces, to the width of the terminal; longer words (a path, a command) stay whole. */
export function wrap(text: string, indent = 0, width = columns()): string[] {
  const room = Math.max(20, width - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.replace(COMMAND, (command) => command.replaceAll(' ', '\u00a0')).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each) => ' '.repeat(indent) + each.replaceAll('\u00a0', ' '));
}
