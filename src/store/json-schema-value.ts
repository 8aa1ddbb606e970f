import { InvalidOptionError } from '../errors/option-errors.js';
import { InvalidDocumentError } from '../errors/store-errors.js';
import { childPath, isPlainRecord } from '../msonable/plain-value.js';
import { bsonTypeOf, Kind, kindOf } from '../query/bson-kind.js';
import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { setOwn } from '../util/set-own.js';

const MAX_DEPTH = 180;

/**
 * Copies a schema, frozen, so that nobody can change it later.
 *
 * @throws {@link InvalidOptionError} for anything that JSON does not have, with its place.
 */
export function toPlainSchema(schema: unknown): Doc {
  if (typeof schema !== 'object' || schema === null || !isPlainRecord(schema))
    throw new InvalidOptionError('schema', 'a JSON Schema, as a plain object', schema);
  return frozen(schema, 'schema', 0) as Doc;
}

function frozen(value: unknown, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH)
    throw new InvalidOptionError('schema', `nested at most ${MAX_DEPTH} levels deep`, 'more');
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value))
    return Object.freeze(value.map((item, i) => frozen(item, childPath(path, i), depth + 1)));
  if (typeof value !== 'object' || !isPlainRecord(value))
    throw new InvalidOptionError(path, 'a value that JSON has', value);
  const copy: Doc = {};
  for (const [name, item] of Object.entries(value))
    if (item !== undefined) setOwn(copy, name, frozen(item, childPath(path, name), depth + 1));
  return Object.freeze(copy);
}

/**
 * Makes of a document what a JSON Schema sees of it.
 *
 * Numbers of BSON are numbers. A date, an ObjectId and whatever else JSON does not have is of none of JSON's types: a
 * symbol stands for it, the same one for equal values.
 *
 * @throws {@link InvalidDocumentError} for a document that is nested too deeply, or in itself.
 */
export function toInstance(doc: unknown): unknown {
  return new Converter().value(doc, 0);
}

class Converter {
  #symbols: Map<Hash, symbol> | undefined;

  value(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return scalar(value);
    if (depth > MAX_DEPTH)
      throw new InvalidDocumentError('$', `it is nested deeper than ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) return Array.from(value, (item) => this.value(item, depth + 1));
    switch (kindOf(value)) {
      case Kind.Object:
        return this.#object(value as Doc, depth);
      case Kind.Number:
        return bsonTypeOf(value) === 'Decimal128' ? this.#symbol(value) : Number(value);
      case Kind.String:
        return String(value);
      default:
        return this.#symbol(value);
    }
  }

  #object(value: Doc, depth: number): Doc {
    const copy: Doc = {};
    for (const name of Object.keys(value))
      if (value[name] !== undefined) setOwn(copy, name, this.value(value[name], depth + 1));
    return copy;
  }

  #symbol(value: object): symbol {
    this.#symbols ??= new Map();
    const hash = hashValue(value);
    const known = this.#symbols.get(hash) ?? Symbol('a value that JSON has not');
    this.#symbols.set(hash, known);
    return known;
  }
}

function scalar(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return value === undefined ? null : value;
}
