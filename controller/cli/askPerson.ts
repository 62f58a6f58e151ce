import { createInterface } from 'node:readline/promises';
import { printError } from '#host/cli/output/terminal.ts';

/** True when a person can be asked: input and output are a terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** True when a person types the command but would not see a question: the output goes elsewhere, such as into a pager. */
export function isUnseen(): boolean {
  return process.stdin.isTTY && !process.stdout.isTTY;
}

/** Asks a question on the terminal. @returns whether the answer was yes */
export async function says(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on('error', (error) => printError(error.message));
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
