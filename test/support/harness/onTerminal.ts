import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Host } from './host.ts';

/** What a terminal sends for Ctrl-C. */
const CTRL_C = '\u0003';

/**
 * Runs a command of a host's program on a terminal.
 * @param interruptAt Ctrl-C is typed, once, when this was shown
 * @param onText called with all that was shown so far
 */
export async function onTerminal(
  host: Host,
  words: readonly string[],
  interruptAt?: RegExp,
  onText?: (text: string) => void,
): Promise<{ code: number | null; text: string }> {
  const command = [...host.launcher, '--root', host.root, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  let isInterrupted = false;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString().replaceAll('\r', '');
    onText?.(text);
    if (isInterrupted || interruptAt?.test(text) !== true) return;
    isInterrupted = true;
    child.stdin.write(CTRL_C);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}
