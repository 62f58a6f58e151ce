import { readFileSync } from 'node:fs';

/**
 * Bytes of this process's memory that no file holds: what V8 and malloc have. Its program's pages, which other processes
 * share and the kernel can take back at any time, do not count.
 */
export function ownMemory(): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/mu.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
