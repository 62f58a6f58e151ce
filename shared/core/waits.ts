const WAITS = 'waits: it belongs to a change set with ';

/** Reason of a file that is fine itself but waits because another file of its change set failed. */
export function waitsWith(culprit: string, why: string | undefined): string {
  return `${WAITS}${culprit} (${why})`;
}

/** Whether a reason is about another file of the same set. */
export function isAboutAnother(reason: string): boolean {
  return reason.includes(WAITS);
}
