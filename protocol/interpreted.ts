/** Texts from this length on, characters, are checked by compiled schemas. */
const LONG = 16 * 1024;

/**
 * For zod: how to check a value that was read from a text of this length. zod compiles an object's schema at its first
 * value, which takes as long as to interpret it for some hundred values: with few of them, or few of a kind, that does not
 * pay. A `status` of two MDS is checked in 5 ms instead of 17.
 * @param length in characters; without it the value is short, or seldom read
 */
export function interpreted(length = 0): { readonly jitless: boolean } {
  return { jitless: length < LONG };
}
