/** The errno name of a file-system error (`ENOSPC`), or the text of anything else. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error) {
    const { code } = error as { code?: unknown };
    // A program that was started and failed has its exit code there.
    return typeof code === 'string' ? code : error.message;
  }
  return String(error);
}
