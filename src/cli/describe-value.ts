import { inspect } from 'node:util';

/** Says in a few words what a value is, for a message about what was found instead of something else. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return describeFunction(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return describeObject(value);
  return `the ${typeof value} ${inspect(value, { maxStringLength: 60 })}`;
}

function describeFunction(value: { readonly name: string }): string {
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  const name = value.name === '' ? '' : ` ${value.name}`;
  return isClass ? `the class${name} (not an instance of it)` : `the function${name}`;
}

function describeObject(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  if (typeof name === 'string' && name !== 'Object') return `an object of class ${name}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty object';
  const shown = keys.slice(0, 3).join(', ');
  return `an object with ${keys.length > 3 ? `${shown}, …` : shown}`;
}
