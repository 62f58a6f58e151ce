import type { BigIntStats } from 'node:fs';

/** What lies at a name, and its size in bytes (0 for all but files). */
export type ObjectShape = { readonly type: 'file' | 'folder' | 'link' | 'other'; readonly bytes: number };

/** The shape of an object that is not read. */
export function shapeOf(stat: BigIntStats): ObjectShape {
  if (stat.isFile()) return { type: 'file', bytes: Number(stat.size) };
  const type = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
  return { type, bytes: 0 };
}
