/** What a program that failed wrote on its standard error; undefined when it wrote nothing, or did not run. */
export function stderrOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'stderr' in error)) return undefined;
  return String(error.stderr).trim() || undefined;
}
