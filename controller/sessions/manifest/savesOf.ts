import type { ManifestItem, SavesOfItems } from '#protocol/messages/common.ts';

/**
 * The saves by which the items of one message came, as they travel.
 * @param saveOf null for a path whose save is not known
 * @returns undefined when there is none to name
 */
export function savesOf(
  items: readonly ManifestItem[],
  saveOf: (path: string) => string | null,
): SavesOfItems | undefined {
  const places = new Map<string, number>();
  const of = items.map(({ path }) => {
    const save = saveOf(path);
    if (save === null) return -1;
    const place = places.get(save) ?? places.size;
    places.set(save, place);
    return place;
  });
  return places.size === 0 ? undefined : { ids: [...places.keys()], of };
}
