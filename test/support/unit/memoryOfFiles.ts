import { readFileSync } from 'node:fs';

/** Bytes of files that this process has in its memory, such as its program. */
export function memoryOfFiles(): number {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number(/^RssFile:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
}
