/** Spreads the periodic work of many hosts: a random time between 90 % and 110 % of the given one, milliseconds. */
export function jitter(milliseconds: number, random = Math.random()): number {
  return Math.round(milliseconds * (0.9 + 0.2 * random));
}
