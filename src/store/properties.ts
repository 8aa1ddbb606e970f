import type { Projection } from '../query/projection.js';

/**
 * Leaves out each path that lies inside another one; MongoDB refuses a projection with both.
 */
export function widestPaths(paths: readonly string[]): string[] {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => other !== path && covers(other, path)));
}

/**
 * Widens what a query returns of each document by some fields, without narrowing it.
 *
 * @param properties - As in {@link QueryOptions}; `undefined` returns whole documents.
 * @param paths - Fields that must be there.
 */
export function withPaths(
  properties: readonly string[] | Projection | undefined,
  paths: readonly string[],
): readonly string[] | Projection | undefined {
  if (properties === undefined) return undefined;
  if (isList(properties))
    return properties.length === 0 ? properties : widestPaths([...properties, ...paths]);
  const entries = Object.entries(properties);
  if (!isInclusive(entries))
    return Object.fromEntries(entries.filter(([name]) => !overlapsAny(name, paths)));
  const wanted = widestPaths([...Object.keys(properties), ...paths]);
  const added = wanted.filter((path) => !Object.hasOwn(properties, path));
  return { ...properties, ...Object.fromEntries(added.map((path) => [path, 1])) };
}

const isList = (value: readonly string[] | Projection): value is readonly string[] =>
  Array.isArray(value);

/** True when only the named fields are returned; `{ _id: 0 }` and a lone `$slice` return the others, too. */
function isInclusive(entries: readonly [string, unknown][]): boolean {
  const others = entries.filter(([name]) => name !== '_id');
  return (others.length > 0 ? others : entries).some(([, how]) =>
    typeof how === 'object' && how !== null ? !('$slice' in how) : Boolean(how),
  );
}

const covers = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(`${outer}.`);

const overlapsAny = (name: string, paths: readonly string[]): boolean =>
  paths.some((path) => covers(name, path) || covers(path, name));
