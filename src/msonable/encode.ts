import { SerializationError } from '../errors/serialization-errors.js';
import { setOwn } from '../util/set-own.js';
import { argumentsOf, toNames } from './argument-bag.js';
import { isCriteriaRegExp, regExpOperator } from './criteria-regexp.js';
import { isExtendedJson } from './extended-json.js';
import type { AnyClass, Field } from './fields.js';
import { isCallable, isKept, tagOf } from './foreign.js';
import { wasGiven } from './given.js';
import { relativeTo } from './module-id.js';
import { encodeSpecial, ownTag } from './own-values.js';
import type { MsonDict, PlainRecord, PlainValue } from './plain-value.js';
import { childPath, isPlainRecord, MAX_DEPTH, MAX_INTEGER_DIGITS } from './plain-value.js';
import type { ClassInfo } from './registry.js';
import { classOf, infoOf, inheritedInfo } from './registry.js';
import { maskedArgument } from './secrets.js';

/** How values are turned into plain ones. */
export interface EncodeOptions {
  /**
   * Absolute folder to which the paths of script modules are made relative.
   * @defaultValue none: script modules are written as `file:` URLs
   */
  readonly folder?: string | undefined;
  /**
   * Whether the values of secret arguments are written, or `***` in their place; references to secrets always are.
   * @defaultValue `'write'`
   */
  readonly secrets?: 'write' | 'mask' | undefined;
}

/** Plain form of a value, and whether anything in it is to be kept from other people. */
export interface Encoded {
  readonly plain: PlainValue;
  readonly holdsSecret: boolean;
}

/** `criteria`: inside a query. `kept`: inside a tagged record that is written as it was read. */
type Mode = 'value' | 'criteria' | 'kept';

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly mode: Mode;
}

const ROOT: Place = { path: '$', depth: 0, mode: 'value' };

const below = ({ path, depth, mode }: Place, key: string | number): Place => ({
  path: childPath(path, key),
  depth: depth + 1,
  mode,
});

/**
 * Turns a value into plain data: records, lists, strings, numbers, bigints, booleans and null.
 *
 * Decorated objects become their class and arguments; other values as monty (Python) writes them where it
 * has a form. `undefined` is null, but absent as a member of a record. A record that would be taken for
 * something else when read (a document with `@module` and `@class` keys, say) is wrapped.
 *
 * @throws {@link SerializationError} for functions, symbols, cycles and instances of undecorated classes.
 */
export function encode(value: unknown, options: EncodeOptions = {}): Encoded {
  const encoder = new Encoder(options);
  const plain = encoder.value(value, ROOT);
  return { plain, holdsSecret: encoder.holdsSecret };
}

/**
 * The plain form of a decorated object.
 *
 * @throws {@link SerializationError} also when the object's class is not decorated.
 */
export function encodeObject(value: object, options: EncodeOptions = {}): MsonDict {
  const info = typeof value === 'object' && value !== null ? infoOf(classOf(value)) : undefined;
  if (!info) throw notDecorated(value, '$');
  return encode(value, options).plain as MsonDict;
}

class Encoder {
  holdsSecret = false;
  readonly #options: EncodeOptions;
  /** Objects being encoded right now, with their paths: meeting one again means a cycle. */
  readonly #open = new Map<object, string>();

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  value(value: unknown, place: Place): PlainValue {
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'number':
        return value;
      case 'undefined':
        return null;
      case 'bigint':
        if (value > -SHORT && value < SHORT) return value;
        return this.#longInteger(value, place);
      case 'object':
        return value === null ? null : this.#guarded(value, place);
      case 'function':
        throw new SerializationError(
          place.path,
          `The function "${value.name || 'anonymous'}" cannot be written: pass a value instead, or make it a method of a class decorated with @MSONable(import.meta.url)`,
        );
      default:
        throw new SerializationError(
          place.path,
          `A ${typeof value} cannot be written: expected plain data or an MSONable object`,
        );
    }
  }

  #longInteger(value: bigint, { path }: Place): bigint {
    const digits = String(value).length - (value < 0n ? 1 : 0);
    if (digits <= MAX_INTEGER_DIGITS) return value;
    throw new SerializationError(
      path,
      `An integer of ${digits} digits cannot be written: expected at most ${MAX_INTEGER_DIGITS}`,
    );
  }

  #guarded(value: object, place: Place): PlainValue {
    const first = this.#open.get(value);
    if (first !== undefined)
      throw new SerializationError(
        place.path,
        `The value contains itself (it is the one at ${first}): remove the cycle`,
      );
    if (place.depth > MAX_DEPTH)
      throw new SerializationError(
        `${place.path.slice(0, 100)}…`,
        `Expected at most ${MAX_DEPTH} levels of nesting, got more`,
      );
    this.#open.set(value, place.path);
    try {
      return this.#object(value, place);
    } finally {
      this.#open.delete(value);
    }
  }

  #object(value: object, place: Place): PlainValue {
    if (Array.isArray(value)) return this.#list(value, place);
    if (isPlainRecord(value)) return this.#record(value, place);
    const info = infoOf(classOf(value));
    if (info) return this.#instance(value, info, place);
    const item = (inner: unknown, path: string): PlainValue =>
      this.value(inner, { path, depth: place.depth + 2, mode: 'value' });
    const special = encodeSpecial(value, place.path, item);
    if (special) return special;
    throw notDecorated(value, place.path);
  }

  #list(list: readonly unknown[], place: Place): PlainValue[] {
    // Array.from, not map: it does not skip the holes.
    return Array.from(list, (item, i) => this.value(item, below(place, i)));
  }

  #record(record: Record<string, unknown>, place: Place): PlainRecord {
    const mode = place.mode !== 'kept' && isKept(record) ? 'kept' : place.mode;
    const isWrapped = mode !== 'kept' && wouldBeDecoded(record);
    const own = isWrapped ? below(place, 'data') : place;
    const plain: PlainRecord = {};
    for (const [key, item] of Object.entries(record)) {
      if (item === undefined) continue;
      const inner = { ...below(own, key), mode };
      if (mode !== 'criteria' || !isCriteriaRegExp(key, item))
        setOwn(plain, key, this.value(item, inner));
      else if (key === '$regex') Object.assign(plain, regExpOperator(item, record['$options']));
      else setOwn(plain, key, regExpOperator(item));
    }
    return isWrapped ? ownTag('dict', { data: plain }) : plain;
  }

  #instance(instance: object, info: ClassInfo, place: Place): MsonDict {
    const { folder, secrets = 'write' } = this.#options;
    const fields = argumentsOf(info.cls);
    const values = new Map<string, unknown>();
    for (const field of fields)
      if (field.write === 'always' || wasGiven(instance, field.property))
        values.set(field.property, readArgument(instance, field, info.name, place.path));
    const named = toNames(info.cls, values, secrets === 'write');
    const dict: MsonDict = {
      '@module': folder === undefined ? info.module : relativeTo(folder, info.module),
      '@class': info.name,
      '@version': info.version,
    };
    for (const field of fields) {
      if (!values.has(field.property)) continue;
      const written = named.has(field.name) ? named.get(field.name) : values.get(field.property);
      const masked = maskedArgument(written, field.secret);
      if (masked !== written) this.holdsSecret = true;
      const inner: Place = {
        ...below(place, field.name),
        mode: field.criteria ? 'criteria' : 'value',
      };
      dict[field.name] = this.value(secrets === 'mask' ? masked : written, inner);
    }
    return dict;
  }
}

/** Bigints below it need no look at their digits. */
const SHORT = 10n ** 64n;

function readArgument(
  instance: object,
  { kind, property }: Field,
  name: string,
  path: string,
): unknown {
  const value: unknown = Reflect.get(instance, property);
  if (value === undefined && kind === 'arg' && !(property in instance))
    throw new SerializationError(
      childPath(path, property),
      `${name} has no property "${property}", which it declares as an argument: set \`this.${property}\` in its constructor`,
    );
  return value;
}

function wouldBeDecoded(record: object): boolean {
  return tagOf(record) !== null || isCallable(record) || isExtendedJson(record);
}

function notDecorated(value: object, path: string): SerializationError {
  const cls = classOf(value) as AnyClass | undefined;
  const name = cls?.name || 'an anonymous class';
  const base = inheritedInfo(cls);
  const reason = base ? `it extends the MSONable ${base.name} but is not decorated itself` : '';
  return new SerializationError(
    path,
    `An instance of ${name} cannot be written: ${reason ? `${reason}, ` : ''}decorate the class with @MSONable(import.meta.url)`,
  );
}
