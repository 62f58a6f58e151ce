import { MAX_ITEMS, MAX_PAGE_BYTES } from './limits.ts';

/** Characters that JSON writes as they are, and UTF-8 in one byte. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** What any other may need at most: `\u0000`. */
const ESCAPED = 6;
/** A number, `true`, `null`: JSON writes none longer. */
const SCALAR = 25;

/**
 * How many bytes a value takes in a message, at most: exact for plain text, too much for names that are escaped.
 * @param value what JSON can say
 */
export function bytesInMessage(value: unknown): number {
  if (typeof value === 'string') return (PLAIN.test(value) ? value.length : value.length * ESCAPED) + 2;
  if (typeof value !== 'object' || value === null) return SCALAR;
  let bytes = 2;
  if (Array.isArray(value)) for (const each of value) bytes += bytesInMessage(each) + 1;
  else for (const [key, each] of Object.entries(value)) bytes += key.length + 4 + bytesInMessage(each);
  return bytes;
}

/**
 * Divides what travels into what one message may hold, in number and in bytes: the socket is bounded in bytes, and
 * paths may be long. Nothing gives no page.
 */
export function* pagesOf<T>(
  items: Iterable<T>,
  options: { readonly most?: number; readonly bytesOf?: (item: T) => number } = {},
): Generator<T[], undefined> {
  const { most = MAX_ITEMS, bytesOf = bytesInMessage } = options;
  let page: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = bytesOf(item) + 1;
    if (page.length > 0 && (page.length >= most || bytes + more > MAX_PAGE_BYTES)) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(item);
    bytes += more;
  }
  if (page.length > 0) yield page;
}

/** As many of the first items as fit into so many bytes of a message. */
export function whatFits<T>(items: Iterable<T>, bytes: number, most: number): T[] {
  const fitting: T[] = [];
  let left = bytes;
  for (const item of items) {
    left -= bytesInMessage(item) + 1;
    if (left < 0 || fitting.length >= most) break;
    fitting.push(item);
  }
  return fitting;
}
