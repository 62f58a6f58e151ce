import type { Socket } from 'node:net';

/**
 * Passes every line of a socket to `onLine`. (Node's readline is not used: it re-emits the input's errors without a listener.)
 * @param maxCharacters longest line; a longer one destroys the socket
 */
export function readLines(socket: Socket, maxCharacters: number, onLine: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    let end = rest.indexOf('\n', Math.max(0, rest.length - chunk.length));
    if (end < 0) {
      if (rest.length > maxCharacters) socket.destroy();
      return;
    }
    const lines: string[] = [];
    let from = 0;
    for (; end >= 0; end = rest.indexOf('\n', from)) {
      lines.push(rest.slice(from, end));
      from = end + 1;
    }
    rest = rest.slice(from);
    for (const line of lines) onLine(line);
  });
}
