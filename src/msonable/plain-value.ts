/** What encoding produces and decoding reads: JSON's values, plus bigint, NaN, the infinities and -0. */
export type PlainValue = null | boolean | number | bigint | string | PlainValue[] | PlainRecord;

/** An object of plain values. */
export type PlainRecord = { [key: string]: PlainValue };

/** The plain form of an object: its class, then its constructor's arguments under their JSON names. */
export interface MsonDict extends PlainRecord {
  '@module': string;
  '@class': string;
  '@version': string | null;
}

/** How deep values may be nested, on both sides. Python's reader gives up at about the same depth. */
export const MAX_DEPTH = 990;

/** How many digits an integer may have, on both sides. It is Python's own limit. */
export const MAX_INTEGER_DIGITS = 4300;

/** Tells whether an object is a plain record, also one from another realm or without a prototype. */
export function isPlainRecord(value: object): value is Record<string, unknown> {
  if (Array.isArray(value)) return false;
  const prototype: unknown = Reflect.getPrototypeOf(value);
  return (
    prototype === null ||
    prototype === Object.prototype ||
    (Reflect.getPrototypeOf(prototype as object) === null &&
      Object.hasOwn(prototype as object, 'hasOwnProperty'))
  );
}

const IDENTIFIER = /^[\p{L}_$@][\p{L}\p{N}_$@-]*$/u;

/** The path of a member: `$.source.key`, `$.stores[0]`, `$.query["a.b"]`. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
