import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** The most memory that a process has ever held, in MiB (VmHWM). */
export function peakMemory(pid: number): number {
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** File descriptors that a process has open now. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What the file descriptors of a process stand for: paths, and such as `socket:[123]`. */
export function openPaths(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(path.join(folder, fd))];
    } catch {
      // Closed since the folder was read.
      return [];
    }
  });
}
