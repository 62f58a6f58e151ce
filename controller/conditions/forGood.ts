/** A pause until this time has no end; milliseconds since 1970. */
export const FOR_GOOD = Date.UTC(9999, 0, 1);

/** @param until UTC, ISO 8601 */
export function isForGood(until: string): boolean {
  // `pause` takes a duration: a little time passes before it is added.
  return Date.parse(until) > FOR_GOOD - 86_400_000;
}
