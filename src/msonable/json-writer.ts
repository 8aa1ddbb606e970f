import { SerializationError } from '../errors/serialization-errors.js';
import type { PlainRecord, PlainValue } from './plain-value.js';

/** The form of a JSON text; each as in Python's `json.dumps`. */
export interface JsonFormat {
  /**
   * Spaces per level, or the text to indent with. `0` gives line breaks only.
   * @defaultValue one line
   */
  readonly indent?: number | string | undefined;
  /**
   * Orders the keys of records.
   * @defaultValue `false`
   */
  readonly sortKeys?: boolean | undefined;
  /**
   * Between items, and between a key and its value.
   * @defaultValue `[', ', ': ']`, or `[',', ': ']` with `indent`
   */
  readonly separators?: readonly [string, string] | undefined;
  /**
   * Escapes what is not ASCII.
   * @defaultValue `true`
   */
  readonly ensureAscii?: boolean | undefined;
  /**
   * Writes the tokens `NaN`, `Infinity` and `-Infinity`, which Python reads and most others refuse; without,
   * such numbers are an error.
   * @defaultValue `true`
   */
  readonly allowNan?: boolean | undefined;
}

/**
 * Prints plain data as JSON in the style of Python's `json.dumps`.
 *
 * Numbers are those of Python: `1e-07`, `1e+16`, `-0.0`; whole ones have no `.0`, unless they would then be
 * read as an integer that no number can hold.
 *
 * @throws {@link SerializationError} for NaN and the infinities when they are not allowed.
 */
export function printJson(value: PlainValue, format: JsonFormat = {}): string {
  const { indent, sortKeys = false, ensureAscii = true, allowNan = true } = format;
  const step = typeof indent === 'number' ? ' '.repeat(indent) : indent;
  const [comma, colon] = format.separators ?? [step === undefined ? ', ' : ',', ': '];

  function list(items: readonly string[], open: string, close: string, margin: string): string {
    if (items.length === 0) return open + close;
    if (step === undefined) return open + items.join(comma) + close;
    const inner = `\n${margin}${step}`;
    return `${open}${inner}${items.join(comma + inner)}\n${margin}${close}`;
  }

  function record(value: PlainRecord, margin: string): string {
    const keys = Object.keys(value);
    if (sortKeys) keys.sort(byCodePoint);
    const inner = margin + (step ?? '');
    const items = keys.map((key) => quote(key) + colon + print(value[key] as PlainValue, inner));
    return list(items, '{', '}', margin);
  }

  function print(value: PlainValue, margin: string): string {
    switch (typeof value) {
      case 'string':
        return quote(value);
      case 'number':
        if (!allowNan && !Number.isFinite(value))
          throw new SerializationError('$', `JSON has no ${value}: pass { allowNan: true }`);
        return printNumber(value);
      case 'object': {
        if (value === null) return 'null';
        if (!Array.isArray(value)) return record(value, margin);
        const inner = margin + (step ?? '');
        return list(
          value.map((item) => print(item, inner)),
          '[',
          ']',
          margin,
        );
      }
      default:
        return String(value);
    }
  }

  const quote = (text: string): string =>
    ensureAscii ? toAscii(JSON.stringify(text)) : JSON.stringify(text);
  return print(value, '');
}

/** A number as Python prints a float, but whole ones without `.0`. */
export function printNumber(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  if (!Number.isFinite(value)) return String(value);
  const [mantissa = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  // JavaScript goes over to exponents only beyond these, so that its own text is right here.
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function toAscii(text: string): string {
  return text.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Python compares strings by code points, JavaScript by UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
