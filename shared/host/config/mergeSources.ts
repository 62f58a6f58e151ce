import type { KeyPath } from './keyLines.ts';

/** One configuration file's content, not validated yet. */
export type Source = { readonly file: string; readonly value: unknown };

/** Origin of a value in the merged configuration: the file and the key path in it. */
export type Origin = { readonly source: number; readonly path: KeyPath };

export type Merged = {
  readonly value: unknown;
  /** Origin of the value at a key path, or of the deepest part of it that was written. */
  readonly originOf: (path: KeyPath) => Origin;
};

type Key = string | number;
/** Origin of one value; values below it may have other origins. */
type Trail = { origin: Origin; readonly children: Map<Key, Trail> };

/**
 * Lays configuration files over each other, the last one on top. Maps are merged key by key; a list replaces the one
 * below it, except that entries with a `name`, in a list whose key is in `named`, change the entry of that name in an
 * earlier file and are added where there is none. Pure.
 */
export function mergeSources(sources: readonly Source[], named: ReadonlySet<string>): Merged {
  const root: Trail = { origin: { source: 0, path: [] }, children: new Map() };
  let value: unknown = {};
  sources.forEach(({ value: over }, source) => {
    if (over === undefined || over === null) return;
    value = overlay(value, over, { source, path: [] }, root, named, '');
  });
  return {
    value,
    originOf: (path) => {
      let trail = root;
      let depth = 0;
      for (; depth < path.length; depth += 1) {
        const next = trail.children.get(path[depth] ?? '');
        if (next === undefined) break;
        trail = next;
      }
      return { source: trail.origin.source, path: [...trail.origin.path, ...path.slice(depth)] };
    },
  };
}

function overlay(
  below: unknown,
  above: unknown,
  origin: Origin,
  trail: Trail,
  named: ReadonlySet<string>,
  key: string,
): unknown {
  trail.origin = origin;
  if (isMap(above)) {
    if (!isMap(below)) trail.children.clear();
    // Without a prototype, so that a key such as `__proto__` is an ordinary key.
    const merged = Object.assign(Object.create(null) as Record<string, unknown>, isMap(below) ? below : {});
    for (const [name, value] of Object.entries(above))
      merged[name] = overlay(
        Object.hasOwn(merged, name) ? merged[name] : undefined,
        value,
        within(origin, name),
        childOf(trail, name),
        named,
        name,
      );
    return merged;
  }
  if (!Array.isArray(above)) {
    // `trash:` with nothing below it does not reset the earlier file's values.
    if (above === null && isMap(below)) return below;
    trail.children.clear();
    return above;
  }
  const list: readonly unknown[] = above;
  if (!named.has(key) || !Array.isArray(below) || list.length === 0) {
    trail.children.clear();
    return list.map((item, i) => overlay(undefined, item, within(origin, i), childOf(trail, i), named, ''));
  }
  const merged: unknown[] = [...(below as readonly unknown[])];
  // A name repeated within one file does not change the earlier entry: the schema refuses it.
  const mine = new Set<number>();
  list.forEach((item, i) => {
    const found = merged.findIndex((other, at) => !mine.has(at) && nameOf(other) === nameOf(item));
    const place = found === -1 || nameOf(item) === undefined ? merged.length : found;
    mine.add(place);
    merged[place] = overlay(merged[place], item, within(origin, i), childOf(trail, place), named, '');
  });
  return merged;
}

function within({ source, path }: Origin, key: Key): Origin {
  return { source, path: [...path, key] };
}

function childOf(trail: Trail, key: Key): Trail {
  const child = trail.children.get(key) ?? { origin: trail.origin, children: new Map() };
  trail.children.set(key, child);
  return child;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(item: unknown): string | undefined {
  const name = isMap(item) ? item['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}
