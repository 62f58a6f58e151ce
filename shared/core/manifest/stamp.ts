/**
 * Identifies a version of a file: any write, rename or metadata change alters ctime, which no program can set. While
 * the stamp stays equal, the content is the one that was read under it.
 */
export type Stamp = string;

/** What a stamp is made of: fields of a `stat` with 64-bit numbers. */
export type StampFields = {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
};

/** The stamp of a stat result: equal as long as the file was not changed or replaced. */
export function stampOf(stat: StampFields): Stamp {
  const { dev, ino, size, mtimeNs, ctimeNs } = stat;
  // A template would make a string of nested parts, one for each field: slower, and larger as long as it is kept.
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** What of a stamp a rename leaves as it is: all but its last part, the ctime. Nothing renamed has another one, unless it was changed, too. */
export function withoutChangeTime(stamp: Stamp): string {
  return stamp.slice(0, stamp.lastIndexOf(':'));
}
