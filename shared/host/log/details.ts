/** Converts details to JSON values: an error becomes its message, a bigint its digits; undefined is left out. */
export function plainDetails(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(details)) {
    if (value !== undefined) plain[key] = plainValue(value);
  }
  return plain;
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return errorText(value);
  return typeof value === 'bigint' ? value.toString() : value;
}

/** An error's message and those of its causes; an error without message (as from net.connect) gives its code. */
function errorText(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.name;
  const own = error.message === '' ? code : error.message;
  return error.cause instanceof Error ? `${own}: ${errorText(error.cause)}` : own;
}
