const WAITS = 'waits: it belongs to a change set with ';

/** Why a file does not become visible that nothing is wrong with. */
export function waitsWith(culprit: string, why: string | undefined): string {
  return `${WAITS}${culprit} (${why})`;
}

/** Whether it is another file that a reason is about. */
export function isAboutAnother(reason: string): boolean {
  return reason.includes(WAITS);
}
