import ffi from 'node:ffi';
import { statfsSync } from 'node:fs';

const { functions: libc } = ffi.dlopen('libc.so.6', {
  mmap: { arguments: ['pointer', 'uint64', 'int32', 'int32', 'int32', 'int64'], return: 'pointer' },
  mincore: { arguments: ['pointer', 'uint64', 'buffer'], return: 'int32' },
  munmap: { arguments: ['pointer', 'uint64'], return: 'int32' },
});
const PAGE = 4096;
const PROT_READ = 1;
const MAP_SHARED = 1;
const TMPFS = 0x01021994;

/** How much of an open file the kernel has in memory, bytes. @param size of the file */
export function cachedBytes(fd: number, size: number): number {
  const at = libc.mmap(0n, BigInt(size), PROT_READ, MAP_SHARED, fd, 0n);
  const pages = Buffer.alloc(Math.ceil(size / PAGE));
  const result = libc.mincore(at, BigInt(size), pages);
  libc.munmap(at, BigInt(size));
  if (result !== 0) throw new Error('mincore failed');
  return pages.reduce((bytes, page) => bytes + (page & 1) * PAGE, 0);
}

/** Why nothing leaves memory in a folder; false when it does. */
export function whyNotDropped(folder: string): string | false {
  return statfsSync(folder).type === TMPFS ? 'this is a tmpfs, whose files are in memory' : false;
}
