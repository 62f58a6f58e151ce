import { readdirSync, readlinkSync } from 'node:fs';

/**
 * What this process has open in a folder, the folder itself included. Only there: other tests of the process, and Node
 * itself, open and close files at any time.
 * @param folder absolute, without links
 */
export function handlesIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      // It has been closed since.
      return [];
    }
  });
}
