/** The errno name of a file-system error (`ENOSPC`), or the text of anything else. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error) {
    const { code } = error as NodeJS.ErrnoException;
    return code ?? error.message;
  }
  return String(error);
}
