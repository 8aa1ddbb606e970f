import { EJSON, Long } from 'bson';
import type { MaggmaError } from '../../errors/maggma-error.js';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import { decodeExtended, isExtendedJson } from '../../msonable/extended-json.js';
import { parseFast, parseJson } from '../../msonable/json-reader.js';
import type { PlainRecord, PlainValue } from '../../msonable/plain-value.js';
import type { Doc } from '../../query/document.js';
import { getPath } from '../../query/path.js';
import { toInstant, toIsoText } from '../../util/instant.js';
import { setOwn } from '../../util/set-own.js';
import { assertStorable } from '../document.js';

/** How the time stamps of a JSON file are treated. */
export interface StampField {
  readonly field: string;
  /** Texts are read as dates. */
  readonly asDates: boolean;
}

/**
 * Reads the documents of a JSON file: a list, or one object alone.
 *
 * Extended JSON becomes the values it stands for, and the text of the time stamp field a Date.
 *
 * @param fail - Makes the error for what is not such a file.
 */
export function parseDocuments(
  text: string,
  stamp: StampField,
  fail: (problem: string) => MaggmaError,
): Doc[] {
  const fast = parseFast(text);
  const value = fast ?? parseJson(text, fail);
  const list = Array.isArray(value) ? value : [value];
  // Neither long integers nor extended JSON, which needs a dollar: the documents are as they should be.
  const isPlain = fast !== undefined && !text.includes('"$');
  return list.map((item, i) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      throw fail(`expected a list of objects, but element ${i} is ${showValue(item)}`);
    const doc = decodeOrFail(item, i, isPlain, fail);
    return stamp.asDates ? withDate(doc, stamp.field) : doc;
  });
}

function decodeOrFail(
  item: PlainRecord,
  i: number,
  isPlain: boolean,
  fail: (problem: string) => MaggmaError,
): Doc {
  try {
    // Also the limit of nesting: whoever walks the document relies on it.
    assertStorable(item);
    return (isPlain ? item : decode(item)) as Doc;
  } catch (error) {
    throw fail(`element ${i}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function decode(value: PlainValue | undefined): unknown {
  if (typeof value === 'bigint') return Long.fromBigInt(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  if (isExtendedJson(value)) {
    const decoded = decodeExtended(value, decode);
    return typeof decoded === 'bigint' ? Long.fromBigInt(decoded) : decoded;
  }
  const record = {};
  for (const [name, member] of Object.entries(value)) setOwn(record, name, decode(member));
  return record;
}

function withDate(doc: Doc, field: string): Doc {
  const text = getPath(doc, field);
  const time = typeof text === 'string' ? toInstant(text) : null;
  // The document is ours alone, so it may be changed.
  if (time !== null) replaceAt(doc, field.split('.'), new Date(time));
  return doc;
}

function replaceAt(doc: Doc, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) doc[name] = value;
  else replaceAt(doc[name], rest, value);
}

/**
 * Makes sure that a document can be written.
 *
 * @param path - Where it is, for messages.
 * @throws {@link InvalidDocumentError} for an object that would be read back as extended JSON.
 */
export function assertPrintable(doc: Doc, path: string): void {
  encode(doc, path);
}

/**
 * Writes documents as a JSON list, one document a line.
 *
 * The time stamp field is written as ISO text, whatever else JSON lacks as extended JSON.
 */
export function printDocuments(docs: Iterable<Doc>, stamp: StampField): string {
  const lines: string[] = [];
  for (const doc of docs) lines.push(JSON.stringify(encodeDocument(doc, stamp.field)));
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function encodeDocument(doc: Doc, stampField: string): Doc {
  const encoded = encode(doc, '$') as Doc;
  const stamp = getPath(doc, stampField);
  if (!(stamp instanceof Date)) return encoded;
  return withText(encoded, stampField.split('.'), toIsoText(stamp));
}

function withText(doc: Doc, [name = '', ...rest]: readonly string[], text: string): Doc {
  return { ...doc, [name]: rest.length === 0 ? text : withText(doc[name], rest, text) };
}

/** Returns the value itself when JSON can say all of it. */
function encode(value: unknown, path: string): unknown {
  if (typeof value === 'number')
    return isJsonNumber(value) ? value : EJSON.serialize(value, CANONICAL);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return encodeArray(value, path);
  if (value instanceof Date) return { $date: dateText(value) };
  if (value instanceof RegExp || '_bsontype' in value) return EJSON.serialize(value, CANONICAL);
  if (isExtendedJson(value))
    throw new InvalidDocumentError(
      path,
      `a JSON file cannot hold an object with the field ${Object.keys(value).join(', ')}: it would be read as another type`,
    );
  return encodeRecord(value as Doc, path);
}

const CANONICAL = { relaxed: false } as const;

const isJsonNumber = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);

function dateText(date: Date): unknown {
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? date.toISOString() : { $numberLong: String(date.getTime()) };
}

function encodeArray(values: readonly unknown[], path: string): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const encoded = encode(values[i], `${path}[${i}]`);
    if (encoded !== values[i]) {
      copy ??= [...values];
      copy[i] = encoded;
    }
  }
  return copy ?? values;
}

function encodeRecord(record: Doc, path: string): Doc {
  let copy: Doc | undefined;
  for (const name of Object.keys(record)) {
    const value = record[name];
    const encoded = encode(value, `${path}.${name}`);
    if (encoded !== value) {
      copy ??= { ...record };
      setOwn(copy, name, encoded);
    }
  }
  return copy ?? record;
}
