import { types } from 'node:util';
import type { PlainRecord } from './plain-value.js';

interface BsonRegExp {
  readonly pattern: string;
  readonly options: string;
}

/**
 * Tells whether a member of a query is a pattern to match a field with: `{ name: /^mp-/ }`,
 * `{ name: { $not: /^mp-/ } }`. In a list (`$in`) or under another operator (`$eq`) MongoDB takes only
 * the pattern itself, so there it is an ordinary value.
 */
export function isCriteriaRegExp(key: string, value: unknown): value is RegExp | BsonRegExp {
  if (key.startsWith('$') && key !== '$not' && key !== '$regex') return false;
  return types.isRegExp(value) || isBsonRegExp(value);
}

function isBsonRegExp(value: unknown): value is BsonRegExp {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { _bsontype?: unknown })._bsontype === 'BSONRegExp'
  );
}

/**
 * A pattern as operators, which Python reads: `{"$regex": "^mp-", "$options": "i"}`.
 *
 * @param explicit - `$options` beside a `$regex`; they count instead of the pattern's flags.
 */
export function regExpOperator(value: RegExp | BsonRegExp, explicit?: unknown): PlainRecord {
  const [source, flags] = types.isRegExp(value)
    ? [value.source, value.flags]
    : [(value as BsonRegExp).pattern, (value as BsonRegExp).options];
  // The others (g, y, d, u, v) say how a search goes on, or what MongoDB does anyway.
  const own = [...flags].filter((flag) => 'imsx'.includes(flag)).join('');
  const options = typeof explicit === 'string' ? explicit : own;
  return { $regex: source, ...(options && { $options: options }) };
}
