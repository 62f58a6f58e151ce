import { randomFrom } from './random.ts';

/** Up to `most` of the items, picked at random by the seed, in their order. */
export function sample<T>(items: readonly T[], most: number, seed: number): T[] {
  const random = randomFrom(seed);
  const weighed = items.map((item, index) => ({ item, index, weight: random() }));
  const picked = weighed.sort((a, b) => a.weight - b.weight).slice(0, most);
  return picked.sort((a, b) => a.index - b.index).map(({ item }) => item);
}
