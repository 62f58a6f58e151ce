/**
 * What a side supports beyond its protocol version. An agent lists it in `hello`, Main in `welcome`; a side that sends
 * no list supports none of it.
 * - `upgrade` (agent): takes its package from Main.
 * - `clocks` (agent): understands by which clock a recording got its time.
 * - `far-times` (both): understands times of files beyond 2286, as far as a file system can hold them.
 * - `answers` (both): the answer to a command is structured data in the message, not JSON in text lines.
 * - `progress` (agent): reports now and then that a command is still running.
 * - `differences` (agent): lists where it differs from Main, shows and offers single files, and prunes local files.
 * - `prune-rehearsal` (agent): says beforehand whether it would refuse to prune.
 * - `saves` (agent): takes, with what changed on Main, the ids of the saves it came by.
 * - `scan` (agent): scans its directories for a pass while Main scans its own.
 * - `folder-renames` (agent): takes word of a renamed folder before the changes of its files.
 * - `skipped` (Main): accepts, in a report, the list of paths that do not travel.
 * - `figures` (Main): accepts, in a report, the bytes to go, and, of a running command, its progress.
 * - `dialplan-summary` (Main): accepts, with a change set or a dry run, a summary of the change for callers.
 * - `manifest-difference` (Main): compares the digests of the manifest that an agent has, and sends only what differs.
 * - `chunks` (Main): accepts, with a request for content, the digests of the chunks of the version that is there.
 * - `replaces` (Main): accepts, with a request for content, the hash of the version that is there, whose chunks it may know itself.
 * - `durations` (Main): accepts, with a change set, how long it took.
 */
export const AGENT_CAPABILITIES = [
  'upgrade',
  'clocks',
  'far-times',
  'answers',
  'progress',
  'differences',
  'prune-rehearsal',
  'saves',
  'scan',
  'folder-renames',
] as const;
export const MAIN_CAPABILITIES = [
  'far-times',
  'skipped',
  'answers',
  'figures',
  'dialplan-summary',
  'durations',
  'manifest-difference',
  'chunks',
  'replaces',
] as const;

/** The times of files that every version understands: nanoseconds in so many digits, up to 2286. */
const NEAR_DIGITS = 19;

/** Whether a side without `far-times` would refuse a time. @param mtime nanoseconds since 1970, decimal */
export function isFarTime(mtime: string): boolean {
  return mtime.length > (mtime.startsWith('-') ? NEAR_DIGITS + 1 : NEAR_DIGITS);
}
