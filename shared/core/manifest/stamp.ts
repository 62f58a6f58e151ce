import type { BigIntStats } from 'node:fs';

/**
 * Tells whether a file was touched since: any write, rename or metadata change alters ctime, which no program
 * can set. Equal stamps mean the content that was read then is the content now.
 */
export type Stamp = string;

export function stampOf(stat: BigIntStats): Stamp {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}
