import os from 'node:os';

/** The errno name of a file-system error (`ENOSPC`), or the text of anything else. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  // A program that was started and failed has its exit code there.
  if (typeof code !== 'string') return error.message;
  if (/^E[A-Z0-9]/.test(code)) return code;
  // Node has no name for some, such as EDQUOT: "Unknown system error -122".
  const known = Object.entries(os.constants.errno).find(([, number]) => number === -Number(errno));
  return known?.[0] ?? code;
}
