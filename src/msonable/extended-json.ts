import type { ObjectId } from 'bson';
import { Binary, BSONRegExp, Code, DBRef, Decimal128, MaxKey, MinKey, Timestamp } from 'bson';
import { fromExtendedDate } from './datetime.js';
import type { PlainRecord, PlainValue } from './plain-value.js';
import { toObjectId, toUuid } from './python-values.js';

/** Decodes a member that may itself hold values. */
type DecodeMember = (value: PlainValue | undefined) => unknown;

type Parser = (record: PlainRecord, decode: DecodeMember) => unknown;

/**
 * MongoDB's extended JSON as Python's `bson.json_util` reads it, with one exception: `$regex` stays an operator,
 * for that is what it is in a query.
 */
const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['$oid', (record) => toObjectId(only(record, '$oid'))],
  ['$date', (record) => toDate(only(record, '$date'))],
  ['$ref', toDBRef],
  ['$minKey', (record) => marker(record, '$minKey', 1, new MinKey())],
  ['$maxKey', (record) => marker(record, '$maxKey', 1, new MaxKey())],
  ['$undefined', (record) => marker(record, '$undefined', true, null)],
  ['$binary', toBinary],
  ['$uuid', (record) => toUuid(only(record, '$uuid'))],
  ['$code', toCode],
  ['$numberInt', (record) => Number(integerText(only(record, '$numberInt')))],
  ['$numberLong', (record) => toInteger(only(record, '$numberLong'))],
  ['$numberDouble', (record) => toDouble(only(record, '$numberDouble'))],
  ['$numberDecimal', (record) => Decimal128.fromString(text(only(record, '$numberDecimal')))],
  ['$timestamp', toTimestamp],
  ['$regularExpression', toRegExp],
  ['$symbol', (record) => text(only(record, '$symbol'))],
  ['$dbPointer', toDBPointer],
]);

/** Tells whether a record is extended JSON: its first such key decides, as in Python. */
export function isExtendedJson(record: object): boolean {
  return keyOf(record) !== undefined;
}

function keyOf(record: object): string | undefined {
  for (const key of Object.keys(record)) if (key.startsWith('$') && PARSERS.has(key)) return key;
  return undefined;
}

/**
 * Makes the value that a record of extended JSON stands for.
 *
 * @throws TypeError, or an error of bson, for content that the key does not allow.
 */
export function decodeExtended(record: PlainRecord, decode: DecodeMember): unknown {
  const parser = PARSERS.get(keyOf(record) ?? '');
  if (!parser) throw new TypeError('expected extended JSON');
  return parser(record, decode);
}

function only(record: PlainRecord, key: string, ...others: string[]): PlainValue | undefined {
  const extra = Object.keys(record).filter((name) => name !== key && !others.includes(name));
  if (extra.length === 0) return record[key];
  const names = extra.map((name) => JSON.stringify(name)).join(', ');
  throw new TypeError(`expected nothing beside "${key}", got also ${names}`);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`expected a string, got ${JSON.stringify(value) ?? 'nothing'}`);
}

function marker(record: PlainRecord, key: string, expected: number | boolean, value: unknown) {
  if (only(record, key) === expected) return value;
  throw new TypeError(`expected "${key}" to be ${expected}`);
}

function integerText(value: unknown): string {
  const digits = typeof value === 'number' ? String(value) : text(value);
  if (/^[-+]?\d{1,20}$/.test(digits)) return digits;
  throw new TypeError(`expected a whole number as text, got ${JSON.stringify(digits)}`);
}

function toInteger(value: unknown): number | bigint {
  const exact = BigInt(integerText(value).replace(/^\+/, ''));
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function toDouble(value: unknown): number {
  const digits = text(value);
  const number = digits === 'NaN' ? Number.NaN : Number(digits);
  if (digits.trim() !== '' && (digits === 'NaN' || !Number.isNaN(number))) return number;
  throw new TypeError(`expected a number as text, got ${JSON.stringify(digits)}`);
}

function toDate(value: PlainValue | undefined): Date {
  if (typeof value === 'string') {
    const date = fromExtendedDate(value);
    if (date) return date;
    throw new TypeError(
      `expected "$date" to be a time such as "2020-01-02T03:04:05Z", got ${JSON.stringify(value)}`,
    );
  }
  const isLong = typeof value === 'object' && value !== null && !Array.isArray(value);
  const date = new Date(Number(isLong ? toInteger(only(value, '$numberLong')) : (value ?? 'none')));
  if (typeof value === 'boolean' || Number.isNaN(date.getTime()))
    throw new TypeError(`expected "$date" to be a time, got ${JSON.stringify(value)}`);
  return date;
}

function toBinary(record: PlainRecord): unknown {
  const legacy = only(record, '$binary', '$type');
  const isLegacy = typeof legacy === 'string';
  const { base64, subType } = isLegacy
    ? { base64: legacy, subType: record['$type'] ?? '00' }
    : ((legacy ?? {}) as PlainRecord);
  const base = text(base64);
  const type = typeof subType === 'number' ? subType : Number.parseInt(text(subType), 16);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base) || !(type >= 0 && type <= 255))
    throw new TypeError('expected "$binary" to hold base64 and a subtype of two digits');
  const bytes = Buffer.from(base, 'base64');
  if (type === Binary.SUBTYPE_UUID && bytes.length === 16) return toUuid(bytes.toString('hex'));
  return new Binary(bytes, type);
}

function toTimestamp(record: PlainRecord): Timestamp {
  const { t, i } = (only(record, '$timestamp') ?? {}) as PlainRecord;
  if (!Number.isSafeInteger(t) || !Number.isSafeInteger(i))
    throw new TypeError('expected "$timestamp" to hold whole numbers "t" and "i"');
  return new Timestamp({ t: t as number, i: i as number });
}

function toRegExp(record: PlainRecord): RegExp | BSONRegExp {
  const body = (only(record, '$regularExpression') ?? {}) as PlainRecord;
  const [pattern, options] = [text(body['pattern']), text(body['options'])];
  if (/^[imsu]*$/.test(options))
    try {
      return new RegExp(pattern, options);
    } catch {
      // A pattern of MongoDB's kind that JavaScript does not have.
    }
  return new BSONRegExp(pattern, options);
}

function toCode(record: PlainRecord, decode: DecodeMember): Code {
  const code = text(only(record, '$code', '$scope'));
  const scope = record['$scope'];
  return new Code(code, scope === undefined ? null : (decode(scope) as Record<string, unknown>));
}

function toDBRef(record: PlainRecord, decode: DecodeMember): DBRef {
  const { $ref, $id, $db, ...fields } = record;
  const rest = decode(fields) as Record<string, unknown>;
  return new DBRef(text($ref), decode($id) as ObjectId, $db as string | undefined, rest);
}

function toDBPointer(record: PlainRecord, decode: DecodeMember): DBRef {
  const { $ref, $id } = (only(record, '$dbPointer') ?? {}) as PlainRecord;
  return new DBRef(text($ref), decode($id) as ObjectId);
}
