import type { MdsStatus } from '../control/contract/contract.ts';

/** What is still to be transferred to and from one MDS. */
export type ToGo = {
  readonly files: number;
  /** Null when an older agent does not report it. */
  readonly bytes: number | null;
  readonly bytesPerSecond: number;
  /** Null while nothing is transferred, or the bytes to go are unknown. */
  readonly secondsLeft: number | null;
};

/** Pure: shared by the command line, the page and the metrics. */
export function toGoOf({
  directories,
  bytesPerSecond,
}: Pick<MdsStatus, 'directories' | 'bytesPerSecond'>): ToGo {
  const files = directories.reduce((sum, { pending }) => sum + pending, 0);
  const known = directories.every(({ pendingBytes }) => pendingBytes !== null);
  const bytes = known ? directories.reduce((sum, { pendingBytes }) => sum + (pendingBytes ?? 0), 0) : null;
  const isMoving = bytes !== null && bytes > 0 && bytesPerSecond > 0;
  return { files, bytes, bytesPerSecond, secondsLeft: isMoving ? bytes / bytesPerSecond : null };
}
