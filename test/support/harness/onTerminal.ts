import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Host } from './host.ts';

/** What a terminal sends for Ctrl-C. */
const CTRL_C = '\u0003';

/** As wide as a terminal is that was not made wider. */
const COLUMNS = 80;

/** A question that nothing answers would wait for ever, milliseconds. */
const LIMIT = 60_000;

export type Typing = {
  /** What is typed; Ctrl-C if left out. */
  readonly type?: string;
  /** A program that the output goes through, which is then no terminal. */
  readonly into?: string;
};

/**
 * Runs a command of a host's program on a terminal.
 * @param typeAt something is typed, once, when this was shown
 * @param onText called with all that was shown so far
 */
export async function onTerminal(
  host: Host,
  words: readonly string[],
  typeAt?: RegExp,
  onText?: (text: string) => void,
  { type = CTRL_C, into }: Typing = {},
): Promise<{ code: number | null; text: string }> {
  const command = [...host.launcher, '--root', host.root, ...words].map((word) => `'${word}'`).join(' ');
  const line = into === undefined ? command : `set -o pipefail; ${command} | ${into}`;
  const child = spawn('script', ['-qec', `bash -c "stty cols ${COLUMNS}; ${line}"`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: LIMIT,
  });
  let text = '';
  let isTyped = false;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString().replaceAll('\r', '');
    onText?.(text);
    if (isTyped || typeAt?.test(text) !== true) return;
    isTyped = true;
    child.stdin.write(type);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}
