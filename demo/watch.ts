import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { binary } from './programs.ts';

const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** How each picture of `status --watch` ends. */
const LAST_LINE = /^fingerprint [0-9a-f:]+$/;

/** Shows `status --watch` below a few fixed lines, until it ends or is stopped. */
export async function watch(root: string, above: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn(binary('xivo-xds-sync'), ['--root', root, 'status', '--watch'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  signal.addEventListener('abort', () => child.kill(), { once: true });
  process.stdout.write(`${HOME}${CLEAR_BELOW}`);
  let picture: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    picture.push(line);
    if (!LAST_LINE.test(line)) return;
    draw([...above, '', ...picture]);
    picture = [];
  });
  await once(child, 'close');
}

function draw(lines: readonly string[]): void {
  process.stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
}
