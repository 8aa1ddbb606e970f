import type { Doc } from '../../query/document.js';
import type { CompiledSort } from '../../query/sort.js';
import { sortKeys } from '../../query/sort-keys.js';
import { encodeSortKeys } from './order-preserving.js';

interface Entry {
  readonly key: string;
  readonly id: number;
}

/** So many more than needed are kept before the surplus is dropped. */
const SLACK = 1000;

/** Sorts documents without holding them: by their sort keys and numbers. Ties keep the order of arrival. */
export class KeySorter {
  readonly #fields: readonly { names: readonly string[]; direction: 1 | -1 }[];
  readonly #directions: readonly (1 | -1)[];
  readonly #wanted: number;
  #entries: Entry[] = [];

  /** @param wanted - How many of the first ones are needed. */
  constructor({ spec }: Pick<CompiledSort, 'spec'>, wanted = Number.POSITIVE_INFINITY) {
    const fields = Object.entries(spec);
    this.#fields = fields.map(([path, direction]) => ({ names: path.split('.'), direction }));
    this.#directions = fields.map(([, direction]) => direction);
    this.#wanted = wanted;
  }

  add(doc: Doc, id: number): void {
    const keys = sortKeys(doc, this.#fields);
    this.#entries.push({ key: encodeSortKeys(keys, this.#directions), id });
    if (this.#entries.length > this.#wanted * 2 + SLACK) this.#truncate();
  }

  /** The numbers of the documents in their order. */
  ids(): number[] {
    this.#truncate();
    return this.#entries.map(({ id }) => id);
  }

  #truncate(): void {
    this.#entries.sort(compareEntries);
    if (this.#entries.length > this.#wanted) this.#entries.length = this.#wanted;
  }
}

function compareEntries(a: Entry, b: Entry): number {
  if (a.key === b.key) return a.id - b.id;
  return a.key < b.key ? -1 : 1;
}
