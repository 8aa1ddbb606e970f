import type { Filter } from '../../src/query/criteria.js';
import type { Doc } from '../../src/query/document.js';
import type { Find } from '../../src/store/store.js';
import { Store } from '../../src/store/store.js';
import type { StoreCapabilities } from '../../src/store/store-capabilities.js';
import { MINIMAL_CAPABILITIES } from '../../src/store/store-capabilities.js';
import type { Refusal, StoreOptions } from '../../src/store/store-options.js';

/** A store that makes its documents as they are asked for, and holds none of them. */
export class StreamedStore extends Store {
  readonly #documents: () => Iterable<Doc>;

  /** @param documents - In the order of their keys; a query may also ask for the first one in any order. */
  constructor(documents: () => Iterable<Doc>, options: StoreOptions = {}) {
    super(options);
    this.#documents = documents;
  }

  get name(): string {
    return 'streamed://';
  }

  get identity(): string {
    return this.name;
  }

  get capabilities(): StoreCapabilities {
    return { ...MINIMAL_CAPABILITIES, sortedScan: true };
  }

  protected async open(): Promise<void> {}

  protected async shut(): Promise<void> {}

  protected async *findBatches(find: Find, size: number): AsyncGenerator<Doc[]> {
    let batch: Doc[] = [];
    for (const doc of this.#found(find)) {
      batch.push(doc);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }

  #found({ filter, sort, limit }: Find): Iterable<Doc> {
    if (limit === 0) return this.#matches(filter);
    let first: Doc | undefined;
    for (const doc of this.#matches(filter))
      if (first === undefined || (sort?.compare(doc, first) ?? 0) < 0) first = doc;
    return first === undefined ? [] : [first];
  }

  *#matches(filter: Filter): Generator<Doc, void, undefined> {
    for (const doc of this.#documents()) if (filter.matches(doc)) yield doc;
  }

  protected async replace(): Promise<readonly Refusal[]> {
    throw new Error('it cannot be written');
  }

  protected async remove(): Promise<number> {
    throw new Error('it cannot be written');
  }

  protected async index(): Promise<boolean> {
    return false;
  }
}
