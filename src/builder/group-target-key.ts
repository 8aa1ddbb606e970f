import type { Binary, BSONRegExp, Code, ObjectId, Timestamp } from 'bson';
import { Kind, kindOf } from '../query/bson-kind.js';
import { binaryParts } from '../query/compare.js';
import { numberText, reduceNumber } from '../query/numeric.js';
import { regexIdentity } from '../query/regex-identity.js';

/** Values that stores take for keys, and find again by equality. */
const KEY_KINDS: ReadonlySet<Kind> = new Set<Kind>([
  Kind.Number,
  Kind.String,
  Kind.Boolean,
  Kind.ObjectId,
  Kind.Date,
  Kind.Binary,
]);

/**
 * Derives the key of a group's target document from the values that its members have in common.
 *
 * A single value that may be a key is the key. Anything else becomes the extended JSON of the list of values, with
 * `{"$missing":true}` for a missing one. Different groups have different keys, and one group always has the same,
 * whatever the classes of its numbers.
 *
 * @param values - In the order of the grouping keys; `undefined` for a missing one.
 */
export function targetKeyOf(values: readonly unknown[]): unknown {
  const [only] = values;
  const kind = kindOf(only);
  const isPlain = values.length === 1 && KEY_KINDS.has(kind);
  // A text that looks like a list is written as one, or it could be taken for another group.
  const isLikeList = kind === Kind.String && String(only).startsWith('[');
  return isPlain && !isLikeList ? only : `[${values.map(textOf).join(',')}]`;
}

const textOf = (value: unknown): string =>
  value === undefined ? '{"$missing":true}' : textOfValue(value);

function textOfValue(value: unknown): string {
  const kind = kindOf(value);
  switch (kind) {
    case Kind.Null:
      return 'null';
    case Kind.Number:
      return textOfNumber(value);
    case Kind.String:
      return JSON.stringify(String(value));
    case Kind.Boolean:
      return String(value);
    case Kind.ObjectId:
      return JSON.stringify({ $oid: (value as ObjectId).toHexString() });
    case Kind.Date:
      return JSON.stringify({ $date: value });
    case Kind.Array:
      return `[${(value as unknown[]).map(textOfValue).join(',')}]`;
    case Kind.Object:
      return textOfObject(value as Record<string, unknown>);
    default:
      return JSON.stringify(rareForm(kind, value));
  }
}

function textOfNumber(value: unknown): string {
  const reduced = reduceNumber(value);
  if (typeof reduced === 'bigint') return JSON.stringify({ $numberLong: String(reduced) });
  if (typeof reduced === 'object') return JSON.stringify({ $numberDecimal: numberText(reduced) });
  return Number.isFinite(reduced)
    ? String(reduced)
    : JSON.stringify({ $numberDouble: String(reduced) });
}

/** A document with names such as `$oid` is no value of another type, and is marked. */
function textOfObject(value: Record<string, unknown>): string {
  const fields = Object.keys(value).map(
    (name) => `${JSON.stringify(name)}:${textOfValue(value[name])}`,
  );
  const text = `{${fields.join(',')}}`;
  return Object.keys(value).some((name) => name.startsWith('$')) ? `{"$document":${text}}` : text;
}

function rareForm(kind: Kind, value: unknown): object {
  switch (kind) {
    case Kind.Binary: {
      const { bytes, subtype } = binaryParts(value as Binary | Uint8Array);
      const subType = subtype.toString(16).padStart(2, '0');
      return { $binary: { base64: Buffer.from(bytes).toString('base64'), subType } };
    }
    case Kind.RegExp:
      return { $regularExpression: regexIdentity(value as RegExp | BSONRegExp) };
    case Kind.Timestamp: {
      const { t, i } = value as Timestamp;
      return { $timestamp: { t, i } };
    }
    case Kind.MinKey:
      return { $minKey: 1 };
    case Kind.MaxKey:
      return { $maxKey: 1 };
    default: {
      const { code, scope } = value as Code;
      return { $code: String(code), ...(scope && { $scope: textOfValue(scope) }) };
    }
  }
}
