import { DeserializationError, UnknownClassError } from '../errors/serialization-errors.js';
import { setOwn } from '../util/set-own.js';
import { argumentsOf, toProperties } from './argument-bag.js';
import { decodeExtended, isExtendedJson } from './extended-json.js';
import type { Field } from './fields.js';
import { isCallable, isForeignValue, keep, tagOf, tooDeep } from './foreign.js';
import { snakeCase } from './naming.js';
import { OWN_VALUES, ownDecoder } from './own-values.js';
import type { PlainRecord, PlainValue } from './plain-value.js';
import { childPath, isPlainRecord, MAX_DEPTH } from './plain-value.js';
import type { ClassInfo } from './registry.js';
import { state, tagKey } from './registry.js';
import { registerSecretsOf } from './secrets.js';
import './python-values.js';

/** How plain data is turned into values. */
export interface DecodeOptions {
  /** Finds the class that a tagged record names, among those that are known by now. */
  readonly find: (module: string, name: string) => ClassInfo | undefined;
  /** Says why a class is not known and what to do about it. */
  readonly advise: (module: string, name: string) => string;
  /** See `LoadOptions`. */
  readonly unknown?: 'error' | 'keep' | undefined;
  /** Also reads MongoDB's extended JSON, as Python does in JSON texts. */
  readonly extendedJson?: boolean | undefined;
}

/**
 * What is expected in a place. `root`: anything, and objects in what it directly holds. `object`: perhaps an
 * object that somebody works with. `data`: a part of plain data.
 */
type Expected = 'root' | 'object' | 'data';

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly expected: Expected;
}

/**
 * Turns plain data into values, building decorated objects with their constructors.
 *
 * @throws {@link DeserializationError} for arguments that a class does not take, and for malformed values.
 * @throws {@link UnknownClassError} for a class that nobody knows.
 */
export function decode(plain: PlainValue, options: DecodeOptions): unknown {
  return new Decoder(options).value(plain, { path: '$', depth: 0, expected: 'root' });
}

class Decoder {
  readonly #options: DecodeOptions;

  constructor(options: DecodeOptions) {
    this.#options = options;
  }

  value(value: PlainValue, place: Place): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (place.depth > MAX_DEPTH) throw tooDeep(place.path);
    if (Array.isArray(value)) return this.#list(value, place);
    // What YAML makes of its own tags (a date, bytes), or what the caller of fromDict put there.
    if (!isPlainRecord(value)) return value;
    const tag = tagOf(value);
    if (tag) return this.#tagged(tag.module, tag.name, value, place);
    if (isCallable(value)) return keep(value, place.path, place.depth);
    if (this.#options.extendedJson && isExtendedJson(value)) return this.#extended(value, place);
    return this.#record(value, place);
  }

  #list(list: readonly PlainValue[], { path, depth, expected }: Place): unknown[] {
    const inside = expected === 'data' ? 'data' : 'object';
    return list.map((item, i) =>
      this.value(item, { path: childPath(path, i), depth: depth + 1, expected: inside }),
    );
  }

  #record(record: PlainRecord, { path, depth, expected }: Place): Record<string, unknown> {
    const inside = expected === 'root' ? 'object' : 'data';
    const values: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(record)) {
      const place: Place = { path: childPath(path, key), depth: depth + 1, expected: inside };
      setOwn(values, key, this.value(item, place));
    }
    return values;
  }

  #extended(record: PlainRecord, { path, depth }: Place): unknown {
    const member = (value: PlainValue | undefined): unknown =>
      this.value(value ?? null, { path, depth: depth + 1, expected: 'data' });
    return located(path, 'Extended JSON', () => decodeExtended(record, member));
  }

  #tagged(module: string, name: string, dict: PlainRecord, place: Place): unknown {
    const { path, depth } = place;
    if (module === OWN_VALUES) {
      const own = this.#ownValue(name, dict, place);
      if (own) return own.value;
    }
    const decodeValue = state.values.get(tagKey(module, name));
    if (decodeValue) return located(path, `${module} ${name}`, () => decodeValue(dict));
    const info = this.#options.find(module, name);
    if (info) return this.#instance(info, dict, place);
    if (isForeignValue(dict) || this.#isKept(place)) return keep(dict, path, depth);
    throw new UnknownClassError(path, module, name, this.#options.advise(module, name));
  }

  #isKept({ expected }: Place): boolean {
    const { unknown } = this.#options;
    return unknown === 'keep' || (unknown === undefined && expected === 'data');
  }

  #ownValue(name: string, dict: PlainRecord, place: Place): { value: unknown } | undefined {
    const path = childPath(place.path, 'data');
    const { data = null } = dict;
    if (name === 'dict') {
      if (typeof data !== 'object' || data === null || Array.isArray(data))
        throw new DeserializationError(path, 'Expected "data" to be a record');
      return { value: this.#record(data, { path, depth: place.depth + 1, expected: 'data' }) };
    }
    const decoder = ownDecoder(name);
    if (!decoder) return undefined;
    const items = (list: PlainValue): unknown =>
      this.value(list, { path, depth: place.depth + 1, expected: 'data' });
    const value = located(place.path, `${OWN_VALUES} ${name}`, () => decoder(dict, items));
    return { value };
  }

  #instance(info: ClassInfo, dict: PlainRecord, { path, depth }: Place): object {
    const fields = argumentsOf(info.cls);
    assertArguments(info.name, fields, dict, path);
    const named = new Map<string, unknown>();
    for (const { name } of fields) {
      if (!Object.hasOwn(dict, name)) continue;
      const place: Place = { path: childPath(path, name), depth: depth + 1, expected: 'object' };
      named.set(name, this.value(dict[name] ?? null, place));
    }
    const values = toProperties(info.cls, named);
    const args: unknown[] = [];
    const options: Record<string, unknown> = {};
    for (const { kind, property } of fields)
      if (kind === 'arg') args.push(values.get(property));
      else if (values.has(property)) options[property] = values.get(property);
    if (fields.some(({ kind }) => kind === 'option')) args.push(options);
    // Before it is made: its constructor may complain of them.
    for (const { property, secret } of fields) registerSecretsOf(values.get(property), secret);
    const Class = info.cls as unknown as new (...all: unknown[]) => object;
    return located(path, info.name, () => new Class(...args));
  }
}

function assertArguments(
  className: string,
  fields: readonly Field[],
  dict: PlainRecord,
  path: string,
): void {
  const names = fields.map(({ name }) => name);
  for (const key of Object.keys(dict)) {
    if (key.startsWith('@') || names.includes(key)) continue;
    const snake = snakeCase(key);
    const known = names.length > 0 ? `it takes ${names.join(', ')}` : 'it takes none';
    throw new DeserializationError(
      childPath(path, key),
      names.includes(snake)
        ? `${className} has no argument "${key}": in files it is written "${snake}"`
        : `${className} has no argument "${key}": ${known}`,
    );
  }
  for (const { kind, name } of fields)
    if (kind === 'arg' && !Object.hasOwn(dict, name))
      throw new DeserializationError(
        path,
        `${className} needs the argument "${name}", which is missing`,
      );
}

/** Adds the place to whatever goes wrong in making one value. */
function located<T>(path: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof DeserializationError || cause instanceof UnknownClassError) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new DeserializationError(path, `${what}: ${problem}`, { cause });
  }
}
