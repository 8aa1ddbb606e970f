import type { Projection } from '../../query/projection.js';

/**
 * The fields that a valid projection returns, when it does nothing but name them.
 *
 * @returns Undefined for a projection of another kind. `_id` is among them only when it stands alone.
 */
export function includedNames(spec: Projection): string[] | undefined {
  const names = plainNames(spec);
  if (names === undefined) return undefined;
  if (names.length === 0) return spec['_id'] ? ['_id'] : undefined;
  return spec[names[0] as string] ? names : undefined;
}

/**
 * The fields besides `_id` that a valid projection leaves out, when it does nothing but name them.
 *
 * @returns Undefined for a projection of another kind.
 */
export function excludedNames(spec: Projection): string[] | undefined {
  const names = plainNames(spec);
  return names === undefined || names.length === 0 || spec[names[0] as string] ? undefined : names;
}

/** True when the projection returns the array element that the criteria found. */
export function isPositional(spec: Projection): boolean {
  return Object.keys(spec).some((name) => name.endsWith('.$'));
}

function plainNames(spec: Projection): string[] | undefined {
  const isPlain = Object.values(spec).every((how) => typeof how === 'boolean' || isNumber(how));
  if (!isPlain || isPositional(spec)) return undefined;
  return Object.keys(spec).filter((name) => name !== '_id');
}

/** `NaN` is false here and true in MongoDB, so it is left to the engine. */
const isNumber = (value: unknown): boolean => typeof value === 'number' && !Number.isNaN(value);
