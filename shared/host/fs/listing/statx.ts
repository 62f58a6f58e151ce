/** Bytes that statx(2) writes. */
export const STATX_BYTES = 256;

/**
 * Where they are in what statx(2) writes, in words of four bytes. Inode, size and the seconds of a time have two words
 * each, the lower one first; a time's nanoseconds follow. The device has two, major and minor.
 */
export const STATX = {
  uid: 5,
  gid: 6,
  mode: 7,
  inode: 8,
  size: 10,
  birthtime: 20,
  ctime: 24,
  mtime: 28,
  device: 34,
} as const;
