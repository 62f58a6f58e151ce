import ffi from 'node:ffi';

/** Loaded when first needed, since most commands never do. */
let functions: ReturnType<typeof load> | undefined;

function load() {
  return ffi.dlopen('libc.so.6', { malloc_trim: { arguments: ['uint64'], return: 'int32' } }).functions;
}

/** Returns what the process has freed to the system; glibc's malloc keeps it for later otherwise. */
export function trimMalloc(): void {
  functions ??= load();
  functions.malloc_trim(0n);
}
