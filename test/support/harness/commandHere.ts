import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from './bundles.ts';

/** How a command ended, and what it printed. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * Commands that need a process of their own: the daemons, what catches signals or names its files by the process, and
 * what ends its process after a time.
 */
const NOT_HERE: ReadonlySet<string> = new Set([
  'serve',
  'run',
  'backup',
  'restore',
  'complete',
  'install-upgrade',
]);

/**
 * What the start of a program takes, milliseconds. A command never comes sooner after what it follows; one that did
 * would make other demands on the daemons than a person's.
 */
const START = 150;

type Printed = { stdout: string; stderr: string };

/** What the command under way has printed; nothing where a test itself prints. */
const printing = new AsyncLocalStorage<Printed>();
/** Exit code, listeners and standard input belong to the whole process: one command at a time. */
let isBusy = false;
let isCaptured = false;

/**
 * Whether a command can run in the process of the test now. On a terminal its output would have colours.
 */
export function canRunHere(args: readonly string[]): boolean {
  const isOnTerminal = process.stdout.isTTY || process.stderr.isTTY;
  return !isBusy && !isOnTerminal && !args.some((word) => NOT_HERE.has(word));
}

/**
 * Runs a command in the process of the test: the same code from its arguments to its output and exit code, for a
 * tenth of what the start of a program costs. json.test.ts runs each command as a program.
 * @param input what it finds on its standard input
 * @param limit milliseconds
 * @throws when it takes longer than the limit
 */
export async function runHere(
  program: Program,
  args: readonly string[],
  { input = '', limit }: { readonly input?: string | undefined; readonly limit: number },
): Promise<Ran> {
  isBusy = true;
  captureOutput();
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin') ?? {};
  Object.defineProperty(process, 'stdin', { ...stdin, get: () => Readable.from([input]) });
  const printed: Printed = { stdout: '', stderr: '' };
  const { exitCode } = process;
  const streams = [process.stdout, process.stderr];
  const listening = streams.map((stream) => stream.listeners('error'));
  try {
    const command = await commandOf(program);
    await sleep(START);
    process.exitCode = undefined;
    const ended = await Promise.race([
      printing.run(printed, () => command(args)),
      sleep(limit, undefined, { ref: false }),
    ]);
    if (ended === undefined) throw new Error(`"${args.join(' ')}" did not end within ${limit} ms`);
    return { code: ended, ...printed };
  } finally {
    process.exitCode = exitCode;
    Object.defineProperty(process, 'stdin', stdin);
    for (const [at, stream] of streams.entries()) {
      // Each command watches the output of its process.
      for (const listener of stream.listeners('error'))
        if (listening[at]?.includes(listener) !== true) stream.off('error', listener as () => void);
    }
    isBusy = false;
  }
}

/** Loaded only when it is used: many tests run no command. */
async function commandOf(program: Program): Promise<(args: readonly string[]) => Promise<number>> {
  const { runProgram } = await import('#host/cli/program.ts');
  if (program === 'xivo-xds-sync') {
    const { controllerProgram, SHORTCUTS } = await import('../../../controller/cli/program.ts');
    return (args) => runProgram(controllerProgram(), args, SHORTCUTS);
  }
  const { agentProgram } = await import('../../../agent/cli/program.ts');
  return (args) => runProgram(agentProgram(), args);
}

/** From now on, what a command writes is kept, and what anything else writes is written. */
function captureOutput(): void {
  if (isCaptured) return;
  isCaptured = true;
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = process[name];
    const write = stream.write.bind(stream) as (...all: unknown[]) => boolean;
    stream.write = (chunk: string | Uint8Array, ...more: unknown[]) => {
      const printed = printing.getStore();
      if (printed === undefined) return write(chunk, ...more);
      printed[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const onWritten = more.at(-1);
      if (typeof onWritten === 'function') queueMicrotask(() => void onWritten());
      return true;
    };
  }
}
