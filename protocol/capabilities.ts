/**
 * What a side can do beyond its protocol version. An agent says it in `hello`, Main in `welcome`; who says nothing
 * can none of it.
 * - `upgrade` (agent): takes its package from Main.
 * - `clocks` (agent): understands by which clock a recording got its time.
 * - `far-times` (both): understands times of files beyond 2286, as far as a file system can hold them.
 * - `answers` (both): what a command is answered with is data of the message, not JSON in lines.
 * - `progress` (agent): says of a command now and then that it is still carried out.
 * - `differences` (agent): lists what it has otherwise than Main, shows and gives single files, and prunes local ones.
 * - `skipped` (Main): takes in a report what does not travel.
 * - `figures` (Main): takes in a report the bytes to go, and with a command that is carried out how far it is.
 * - `dialplan-summary` (Main): takes with a change set, and with a dry run, what it changes for callers.
 */
export const AGENT_CAPABILITIES = [
  'upgrade',
  'clocks',
  'far-times',
  'answers',
  'progress',
  'differences',
] as const;
export const MAIN_CAPABILITIES = ['far-times', 'skipped', 'answers', 'figures', 'dialplan-summary'] as const;

/** The times of files that every version understands: nanoseconds in so many digits, up to 2286. */
const NEAR_DIGITS = 19;

/** Whether a side without `far-times` would refuse a time. @param mtime nanoseconds since 1970, decimal */
export function isFarTime(mtime: string): boolean {
  return mtime.length > (mtime.startsWith('-') ? NEAR_DIGITS + 1 : NEAR_DIGITS);
}
