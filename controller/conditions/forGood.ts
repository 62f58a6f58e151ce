/** A pause until this time lasts until somebody resumes; milliseconds since 1970. */
export const FOR_GOOD = Date.UTC(9999, 0, 1);

/** @param until UTC, ISO 8601 */
export function isForGood(until: string): boolean {
  // `pause` takes a duration: a little passes before it is added up.
  return Date.parse(until) > FOR_GOOD - 86_400_000;
}
