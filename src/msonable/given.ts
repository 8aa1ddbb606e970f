import { state } from './registry.js';

/**
 * Records which options a caller passed, for those that are declared with `write: 'given'`.
 *
 * To be called in the constructor that takes the options. Calls for one instance add up. An option counts as
 * passed when it is not `undefined`, also when it is null or equal to the default.
 *
 * @param instance - `this`.
 * @param options - The options object that the constructor received.
 */
export function markGiven(instance: object, options: object | null | undefined): void {
  const given = state.given.get(instance) ?? new Set<string>();
  for (const [name, value] of Object.entries(options ?? {}))
    if (value !== undefined) given.add(name);
  state.given.set(instance, given);
}

/** Tells whether {@link markGiven} was called for the instance with a value for this property. */
export function wasGiven(instance: object, property: string): boolean {
  return state.given.get(instance)?.has(property) ?? false;
}
