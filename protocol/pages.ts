import { MAX_ITEMS, MAX_PAGE_BYTES } from './limits.ts';

/** Characters that JSON does not escape and that UTF-8 encodes in one byte. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** Most bytes that any other character takes: `\u0000`. */
const ESCAPED = 6;
/** A number, `true`, `null`: JSON writes none longer. */
const SCALAR = 25;

/**
 * Upper bound of the bytes that a value takes in a message: exact for plain text, an overestimate for escaped names.
 * @param value a JSON value
 */
export function bytesInMessage(value: unknown): number {
  if (typeof value === 'string') return (PLAIN.test(value) ? value.length : value.length * ESCAPED) + 2;
  if (typeof value !== 'object' || value === null) return SCALAR;
  let bytes = 2;
  if (Array.isArray(value)) for (const each of value) bytes += bytesInMessage(each) + 1;
  else for (const [key, each] of Object.entries(value)) bytes += key.length + 4 + bytesInMessage(each);
  return bytes;
}

/** No item takes more bytes: the largest is a file with the digests of its chunks. */
const LARGEST_ITEM = 1024 * 1024;

/**
 * Splits items into pages that fit into one message, by number and by bytes (paths may be long). No items give no page.
 * Each item is read after the page before its own has been taken, since what it says may change while that is being sent.
 */
export function* pagesOf<T>(
  items: Iterable<T>,
  options: { readonly most?: number; readonly bytesOf?: (item: T) => number } = {},
): Generator<T[], undefined> {
  const { most = MAX_ITEMS, bytesOf = bytesInMessage } = options;
  let page: T[] = [];
  let bytes = 0;
  for (const item of items) {
    page.push(item);
    bytes += bytesOf(item) + 1;
    if (page.length < most && bytes <= MAX_PAGE_BYTES - LARGEST_ITEM) continue;
    yield page;
    page = [];
    bytes = 0;
  }
  if (page.length > 0) yield page;
}

/** The longest beginning of `items` that fits into so many bytes of a message. */
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
