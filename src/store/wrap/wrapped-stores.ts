import { InvalidOptionError } from '../../errors/option-errors.js';
import { UnsupportedOperationError } from '../../errors/store-errors.js';
import { isDocument } from '../../query/bson-kind.js';
import { cloneValue } from '../../query/clone.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import { compileFilter } from '../../query/criteria.js';
import { holdStore } from '../hold-store.js';
import type { Store } from '../store.js';

/** Connects the stores that another one is made of, and closes those that it connected and nobody else needs. */
export class WrappedStores {
  readonly #stores: ReadonlySet<Store>;
  #releases: (() => Promise<void>)[] = [];

  constructor(stores: Iterable<Store>) {
    this.#stores = new Set(stores);
  }

  /** Connects all, or none: when one fails, those that were connected before it are closed again. */
  async open({ forceReset }: { readonly forceReset: boolean }): Promise<void> {
    try {
      for (const store of this.#stores) {
        this.#releases.push(holdStore(store));
        await store.connect({ forceReset });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Closes what `open` connected; what was connected before belongs to somebody else. */
  async close(): Promise<void> {
    const releases = this.#releases;
    this.#releases = [];
    const results = await Promise.allSettled(releases.map((release) => release()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

/** Throws {@link InvalidOptionError} unless the value is a store. */
export function assertStore(option: string, value: unknown): asserts value is Store {
  if (typeof (value as Store | null | undefined)?.query !== 'function')
    throw new InvalidOptionError(option, 'a Store', value);
}

/**
 * Checks criteria that other stores will answer.
 *
 * What our own engine does not know, such as `$text`, is accepted when those stores accept it.
 *
 * @param ask - Puts a copy of the criteria to the stores, which throw when they refuse them.
 * @throws {@link InvalidQueryError} as `compileFilter` does.
 */
export function compileForWrapped(criteria: Criteria, ask: (copy: Criteria) => void): Filter {
  try {
    return compileFilter(criteria);
  } catch (error) {
    if (!isDocument(criteria)) throw error;
    const copy = cloneValue(criteria);
    try {
      ask(copy);
    } catch {
      // Ours names the places as the caller wrote them.
      throw error;
    }
    return Object.freeze({
      criteria: copy,
      matches(): never {
        throw new UnsupportedOperationError('A filter for another store', 'be tested here');
      },
      equalities: new Map(),
      ranges: new Map(),
    });
  }
}
