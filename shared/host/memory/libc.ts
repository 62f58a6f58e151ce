import ffi from 'node:ffi';

const MADV_DONTNEED = 4;
const KEEP_NOTHING = 0n;

/** Loaded when first needed, since most commands never do. */
let functions: ReturnType<typeof load> | undefined;

function load() {
  return ffi.dlopen('libc.so.6', {
    malloc_trim: { arguments: ['uint64'], return: 'int32' },
    madvise: { arguments: ['pointer', 'uint64', 'int32'], return: 'int32' },
  }).functions;
}

/** Returns what the process has freed to the system; glibc's malloc keeps it for later otherwise. */
export function trimMalloc(): void {
  functions ??= load();
  functions.malloc_trim(KEEP_NOTHING);
}

/**
 * Takes a part of a file out of the process's memory. Whatever of it is needed again is read from the file.
 * @param start its address
 * @param length bytes
 */
export function unmapFromFile(start: bigint, length: bigint): void {
  functions ??= load();
  // A part that can't be taken out stays: nothing depends on it.
  functions.madvise(start, length, MADV_DONTNEED);
}
