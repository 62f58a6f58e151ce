import ffi from 'node:ffi';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Does something between any two system calls of this process that take a path: Node's own functions are replaced once,
 * by functions that do the same after it. The product knows nothing of it. Import this before anything of the product.
 */

type Call = (...args: never[]) => unknown;

/** Node's functions as they were, for what is done in between. */
export const real = { ...fs };

let between: ((call: number) => void) | undefined;
let calls = 0;

/** From now on `work` is called before each call, with its number, from 0. */
export function doBetweenCalls(work: (call: number) => void): void {
  calls = 0;
  between = work;
}

/** @returns the number of calls since {@link doBetweenCalls} */
export function doNothingMore(): number {
  between = undefined;
  return calls;
}

function turn(): void {
  const work = between;
  if (work === undefined) return;
  // What is done in between makes calls of its own.
  between = undefined;
  work(calls++);
  between = work;
}

for (const name of [
  'openSync',
  'lstatSync',
  'statSync',
  'existsSync',
  'realpathSync',
  'readdirSync',
  'readFileSync',
  'readlinkSync',
  'writeFileSync',
  'mkdirSync',
  'symlinkSync',
  'unlinkSync',
  'rmdirSync',
  'rmSync',
  'renameSync',
  'chmodSync',
  'lchownSync',
  'utimesSync',
] as const) {
  const original = real[name] as Call;
  const put = (...args: never[]): unknown => {
    turn();
    return original(...args);
  };
  Object.defineProperty(fs, name, { value: put, writable: true, configurable: true });
}

const dlopen = ffi.dlopen.bind(ffi);
const open = (...args: Parameters<typeof dlopen>): ReturnType<typeof dlopen> => {
  const library = dlopen(...args);
  const functions = library.functions as unknown as Record<string, Call>;
  const watched = Object.fromEntries(
    Object.entries(functions).map(([name, original]): [string, Call] => [
      name,
      name === 'renameat2' || name === 'openat' || name === 'statx'
        ? (...values: never[]) => {
            turn();
            return original(...values);
          }
        : original,
    ]),
  );
  return { ...library, functions: watched as unknown as typeof library.functions };
};
Object.defineProperty(ffi, 'dlopen', { value: open, writable: true, configurable: true });
syncBuiltinESMExports();
