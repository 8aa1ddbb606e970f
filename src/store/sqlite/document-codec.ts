import type { Doc } from '../../query/document.js';
import { setOwn } from '../../util/set-own.js';
import { fromStandIn, isJsonNumber, toStandIn } from './special-values.js';

/** A document as text. */
export interface EncodedDocument {
  /** JSON, with stand-ins for the values that JSON lacks. */
  readonly body: string;
  /** Which values those are: a JSON list of `[code, ...path]`; null when there are none. */
  readonly repairs: string | null;
}

type Repair = readonly [code: string, ...path: (string | number)[]];

/** Most documents of a collection have the same list. Longer ones are rather all different. */
const cache = new Map<string, readonly Repair[]>();
const CACHE_SIZE = 500;
const CACHED_LENGTH = 2000;

/** Writes a document as text; the document is not changed. */
export function encodeDocument(doc: Doc): EncodedDocument {
  const repairs: Repair[] = [];
  const body = JSON.stringify(new Encoder(repairs).encodeObject(doc));
  return { body, repairs: repairs.length === 0 ? null : JSON.stringify(repairs) };
}

/** Reads what {@link encodeDocument} wrote. */
export function decodeDocument({ body, repairs }: EncodedDocument): Doc {
  const doc = JSON.parse(body) as Doc;
  if (repairs !== null) for (const repair of parseRepairs(repairs)) applyRepair(doc, repair);
  return doc;
}

/** Copies only what holds a stand-in. */
class Encoder {
  readonly #repairs: Repair[];
  readonly #path: (string | number)[] = [];

  constructor(repairs: Repair[]) {
    this.#repairs = repairs;
  }

  encodeObject(source: Doc): Doc {
    let copy: Doc | undefined;
    for (const name of Object.keys(source)) {
      const value = source[name];
      if (isJsonScalar(value)) continue;
      const encoded = this.#encodeAt(name, value);
      if (encoded === value) continue;
      copy ??= { ...source };
      setOwn(copy, name, encoded);
    }
    return copy ?? source;
  }

  #encodeArray(source: readonly unknown[]): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (let i = 0; i < source.length; i++) {
      const value = source[i];
      if (isJsonScalar(value)) continue;
      const encoded = this.#encodeAt(i, value as object | number);
      if (encoded === value) continue;
      copy ??= [...source];
      copy[i] = encoded;
    }
    return copy ?? source;
  }

  #encodeAt(step: string | number, value: object | number): unknown {
    this.#path.push(step);
    const encoded = this.#encode(value);
    this.#path.pop();
    return encoded;
  }

  #encode(value: object | number): unknown {
    if (Array.isArray(value)) return this.#encodeArray(value);
    if (typeof value === 'object' && isPlain(value)) return this.encodeObject(value);
    const standIn = toStandIn(value);
    // What is inside is repaired first.
    const encoded = standIn.isNested ? this.#encode(standIn.value as object) : standIn.value;
    this.#repairs.push([standIn.code, ...this.#path]);
    return encoded;
  }
}

function isJsonScalar(value: unknown): boolean {
  if (typeof value === 'number') return isJsonNumber(value);
  return typeof value !== 'object' || value === null;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function parseRepairs(text: string): readonly Repair[] {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const repairs = JSON.parse(text) as readonly Repair[];
  if (text.length <= CACHED_LENGTH) {
    if (cache.size >= CACHE_SIZE) cache.clear();
    cache.set(text, repairs);
  }
  return repairs;
}

function applyRepair(doc: Doc, repair: Repair): void {
  const last = repair.length - 1;
  let target = doc;
  for (let i = 1; i < last; i++) target = target[repair[i] as string];
  const name = repair[last] as string;
  setOwn(target, name, fromStandIn(repair[0], target[name]));
}
