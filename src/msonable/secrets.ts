import type { InspectOptionsStylized } from 'node:util';
import { inspect } from 'node:util';
import { isSecretReference, MASK, registerSecret } from '../errors/redact.js';
import { argumentsOf } from './argument-bag.js';
import type { AnyClass, Field } from './fields.js';
import { isPlainRecord } from './plain-value.js';
import { classOf } from './registry.js';

/**
 * The secret texts in an object: the values of arguments declared with `secret`, also in objects that it holds. What
 * only refers to a secret is none.
 *
 * @param object - An instance of a class with declared arguments, or data with such instances in it.
 * @param secret - What all of it is declared to be.
 * @returns Each text once.
 */
export function secretValuesOf(object: unknown, secret: boolean | RegExp = false): string[] {
  const secrets = new Set<string>();
  collect(object, secret, secrets, new Set());
  return [...secrets];
}

/**
 * Makes the secrets of an object known, so that they are masked in all texts from now on.
 *
 * @param object - As in {@link secretValuesOf}.
 * @param secret - What all of it is declared to be.
 */
export function registerSecretsOf(object: unknown, secret: boolean | RegExp = false): void {
  secretValuesOf(object, secret).forEach(registerSecret);
}

/**
 * The value of an argument with its secrets masked; the value itself when there is none in it.
 *
 * @param secret - What the argument is declared to be.
 */
export function maskedArgument(value: unknown, secret: boolean | RegExp): unknown {
  if (secret instanceof RegExp) return maskedMembers(value, secret);
  return secret && isSecretValue(value) ? MASK : value;
}

function maskedMembers(value: unknown, names: RegExp): unknown {
  if (!isRecord(value)) return value;
  const masked = Object.entries(value).map(([name, member]) => [
    name,
    isRecord(member) ? maskedMembers(member, names) : maskedArgument(member, names.test(name)),
  ]);
  const isSame = masked.every(([name, member]) => Object.is(member, value[name as string]));
  return isSame ? value : Object.fromEntries(masked);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && isPlainRecord(value);

function isSecretValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (typeof value === 'string') return !isSecretReference(value);
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/**
 * Masks the secret arguments of a class in what `console.log`, `JSON.stringify` and test runners show of its instances.
 * A class that shows itself in its own way keeps it.
 *
 * @param fields - The arguments of the class.
 */
export function maskInspection(cls: AnyClass, fields: readonly Field[]): void {
  if (!fields.some(({ secret }) => secret)) return;
  const prototype = cls.prototype as object;
  define(prototype, inspect.custom, function (this: object, depth: number, options: Styles) {
    const { name } = this.constructor;
    if (depth < 0) return options.stylize(`[${name}]`, 'special');
    return `${name} ${inspect(masked(this), { ...options, depth })}`;
  });
  define(prototype, 'toJSON', function (this: object) {
    return masked(this);
  });
}

type Styles = InspectOptionsStylized;

function define(prototype: object, key: PropertyKey, value: unknown): void {
  if (key in prototype) return;
  Reflect.defineProperty(prototype, key, { value, configurable: true, writable: true });
}

/** Its own properties, without the secrets. */
function masked(object: object): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...object };
  for (const { property, secret } of declaredArguments(object))
    if (property in copy) copy[property] = maskedArgument(copy[property], secret);
  return copy;
}

/** Of any class: one that is not decorated may have been declared secrets all the same, or have inherited them. */
function declaredArguments(object: object): readonly Field[] {
  const cls = classOf(object);
  const isClass = typeof cls === 'function' && typeof cls.prototype === 'object';
  return isClass ? argumentsOf(cls as unknown as AnyClass) : [];
}

/** @param secret - Whether all texts in the value are secrets, or those that have a certain name. */
function collect(
  value: unknown,
  secret: boolean | RegExp,
  secrets: Set<string>,
  seen: Set<object>,
): void {
  if (typeof value !== 'object' || value === null) {
    if (secret === true && typeof value === 'string' && isSecretValue(value)) secrets.add(value);
    return;
  }
  if (seen.has(value)) return;
  seen.add(value);
  if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) collect(item, secret, secrets, seen);
  } else if (isPlainRecord(value) || value instanceof Map) {
    for (const [name, item] of value instanceof Map ? value : Object.entries(value))
      collect(item, isNamed(secret, name) || secret, secrets, seen);
  } else {
    for (const field of declaredArguments(value))
      collect(Reflect.get(value, field.property), secret === true || field.secret, secrets, seen);
  }
}

const isNamed = (secret: boolean | RegExp, name: unknown): boolean =>
  secret instanceof RegExp && typeof name === 'string' && secret.test(name);
