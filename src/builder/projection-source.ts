import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { hashValue } from '../query/hash.js';
import { getPath, isIndex } from '../query/path.js';
import { widestPaths } from '../store/properties.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';
import { composeDocument, keyOf } from './build-record.js';
import type { ProjectedFields } from './projection-fields.js';

/** One source of a {@link ProjectionBuilder}, and what is taken of its documents. */
export class ProjectionSource {
  readonly #store: Store;
  /** New names and the fields of the source; empty for everything. */
  readonly #pairs: readonly (readonly [name: string, field: string])[];

  /** @param fields - As {@link ProjectedFields} says. */
  constructor(store: Store, fields: ProjectedFields = []) {
    this.#store = store;
    this.#pairs = Array.isArray(fields)
      ? fields.map((field: string) => [field, field])
      : Object.entries(fields);
  }

  /** Reads the documents with these keys; of several with one key the newest. */
  async newest(keys: readonly unknown[]): Promise<Map<Hash, Doc>> {
    const newest = new Map<Hash, Doc>();
    const criteria = { [this.#store.key]: { $in: keys } };
    const found = this.#store.query(criteria, { properties: this.#properties() });
    for await (const docs of found.batches())
      for (const doc of docs) {
        const hash = hashValue(keyOf(this.#store, doc));
        const known = newest.get(hash);
        const stamp = this.stampOf(doc) ?? -Infinity;
        if (known === undefined || stamp > (this.stampOf(known) ?? -Infinity))
          newest.set(hash, doc);
      }
    return newest;
  }

  /** When a document was changed, in milliseconds. */
  stampOf(doc: Doc): number | null {
    return toInstant(getPath(doc, this.#store.lastUpdatedField));
  }

  /**
   * Puts what is taken of a document over what was taken before; a field that the document lacks stays what it was.
   *
   * @param before - Not changed, nor anything in it.
   */
  addTo(before: Doc, doc: Doc): Doc {
    if (this.#pairs.length === 0)
      return { ...before, ...without(doc, this.#store.lastUpdatedField) };
    const found = this.#pairs
      .map(([name, field]) => [name, getPath(doc, field)] as const)
      .filter(([, value]) => value !== undefined);
    const plain = Object.fromEntries(found.filter(([name]) => !name.includes('.')));
    const nested = found.filter(([name]) => name.includes('.'));
    return composeDocument(nested, { ...before, ...plain }, NONE, {});
  }

  #properties(): readonly string[] | undefined {
    if (this.#pairs.length === 0) return undefined;
    const { key, lastUpdatedField } = this.#store;
    const fields = this.#pairs.map(([, field]) => readable(field));
    return widestPaths([...fields, key, lastUpdatedField]);
  }
}

const NONE: ReadonlySet<string> = new Set();

/** A projection knows no positions in arrays, so the whole array is read. */
function readable(field: string): string {
  const steps = field.split('.');
  const index = steps.findIndex((step, i) => i > 0 && isIndex(step));
  return index < 0 ? field : steps.slice(0, index).join('.');
}

function without(doc: Doc, path: string): Doc {
  const [name = '', ...rest] = path.split('.');
  if (!Object.hasOwn(doc, name)) return doc;
  const { [name]: inner, ...others } = doc;
  if (rest.length === 0) return others;
  const isNested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
  return isNested ? { ...doc, [name]: without(inner, rest.join('.')) } : doc;
}
