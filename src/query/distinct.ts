import { isDocument } from './bson-kind.js';
import type { Doc } from './document.js';
import { hashValue } from './hash.js';
import { isIndex, readField } from './path.js';

/**
 * Collects the values that a field has over many documents, each once.
 *
 * Arrays are unrolled one level, and paths lead through arrays of documents. A missing field adds
 * nothing, null adds null. Source: MongoDB manual, "db.collection.distinct()".
 */
export class DistinctCollector {
  readonly #names: readonly string[];
  readonly #found = new Map<unknown, unknown>();

  /** @param field - A field name or a dotted path. */
  constructor(field: string) {
    this.#names = field.split('.');
  }

  /** Adds the values of one document. */
  add(doc: Doc): void {
    this.#visit(doc, 0);
  }

  /** The values so far, in the order in which they were found; of equal ones the first. */
  values(): unknown[] {
    return [...this.#found.values()];
  }

  #visit(container: unknown, next: number): void {
    const value = readField(container, this.#names[next] as string);
    const following = this.#names[next + 1];
    if (following === undefined) {
      if (!Array.isArray(value)) this.#keep(value);
      else for (const element of value) this.#keep(element ?? null);
    } else if (!Array.isArray(value) || isIndex(following)) {
      if (isDocument(value) || Array.isArray(value)) this.#visit(value, next + 1);
    } else {
      for (const element of value) if (isDocument(element)) this.#visit(element, next + 1);
    }
  }

  #keep(value: unknown): void {
    if (value === undefined) return;
    const hash = hashValue(value);
    if (!this.#found.has(hash)) this.#found.set(hash, value);
  }
}

/**
 * Lists the values that a field has over some documents, each once, as {@link DistinctCollector}
 * does.
 *
 * @param field - A field name or a dotted path.
 * @returns The values themselves, not copies, in the order in which they were found.
 */
export function distinctValues(docs: Iterable<Doc>, field: string): unknown[] {
  const collector = new DistinctCollector(field);
  for (const doc of docs) collector.add(doc);
  return collector.values();
}
