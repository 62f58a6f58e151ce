import { readFileSync } from 'node:fs';
import { unmapFromFile } from './libc.ts';

/** A part of a process's memory. */
export type Mapping = {
  /** Its address. */
  readonly start: bigint;
  /** Bytes. */
  readonly length: bigint;
};

const BEGINNING = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ +(.*)$/u;
const CHANGED_BYTES = /^Anonymous: +(\d+) kB$/u;
const FLAGS = /^VmFlags: (.*)$/u;
/** The kernel has set memory aside for the case that it is written (VM_ACCOUNT). */
const ACCOUNTED = 'ac';

/**
 * The parts of a process's memory that are as in its program's file: those that could never be written, and in which a debugger
 * has changed nothing. The linker writes to some before it makes them read-only: that it did can't be seen any more once the
 * kernel has swapped these pages out. Pure.
 * @param smaps see proc_pid_smaps(5)
 * @param program path of the file
 */
export function partsAsInFile(smaps: string, program: string): Mapping[] {
  const parts: Mapping[] = [];
  let part: Mapping | undefined;
  for (const line of smaps.split('\n')) {
    const [, start, end, access = '', file] = BEGINNING.exec(line) ?? [];
    if (start !== undefined && end !== undefined) {
      const from = BigInt(`0x${start}`);
      const isMeant = file === program && /^r-.p$/u.test(access);
      part = isMeant ? { start: from, length: BigInt(`0x${end}`) - from } : undefined;
    } else if (part !== undefined) {
      if (Number(CHANGED_BYTES.exec(line)?.[1] ?? 0) > 0) part = undefined;
      else if (FLAGS.exec(line)?.[1]?.split(' ').includes(ACCOUNTED) === false) parts.push(part);
    }
  }
  return parts;
}

/**
 * Takes Node's own file out of this process's memory. A start reads most of it, and what runs later needs less than half: that
 * comes back page by page, from where the kernel keeps files, within milliseconds.
 */
export function unmapOwnProgram(): void {
  let smaps: string;
  try {
    smaps = readFileSync('/proc/self/smaps', 'latin1');
  } catch {
    // Not every kernel has it. Then the file stays in memory, as before.
    return;
  }
  for (const { start, length } of partsAsInFile(smaps, process.execPath)) unmapFromFile(start, length);
}
