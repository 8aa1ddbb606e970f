import type { Doc } from '../query/document.js';
import type { Hash } from '../query/hash.js';
import { getPath, isIndex, withoutPath } from '../query/path.js';
import { widestPaths } from '../store/properties.js';
import type { Store } from '../store/store.js';
import { toInstant } from '../util/instant.js';
import { composeDocument } from './build-record.js';
import { newestDocuments } from './newest-documents.js';
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
  newest(keys: readonly unknown[]): Promise<Map<Hash, Doc>> {
    const criteria = { [this.#store.key]: { $in: keys } };
    return newestDocuments(this.#store, criteria, this.#properties());
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
      return { ...before, ...withoutPath(doc, this.#store.lastUpdatedField) };
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
