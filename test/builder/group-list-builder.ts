import { expect } from 'vitest';
import { GroupBuilder } from '../../src/builder/group-builder.js';
import type { GroupBuilderOptions } from '../../src/builder/group-options.js';
import { MSONable } from '../../src/msonable/decorators.js';
import type { Doc } from '../../src/query/document.js';
import type { Store } from '../../src/store/store.js';
import { at, storeWith } from '../fixtures/stores.js';

type Unary = (items: Doc[]) => Doc | null | Promise<Doc | null>;

const listValues: Unary = (items) => ({ values: items.map((item) => item['v'] ?? null) });

/** A GroupBuilder over a function, which remembers what it was called with. */
@MSONable(import.meta.url, { module: 'maggma_ts.test' })
export class ListBuilder extends GroupBuilder {
  readonly calls: Doc[][] = [];
  /** How many keys it may hold, when that is to be little. */
  memory: number | undefined;
  readonly #function: Unary;

  constructor(
    source: Store,
    target: Store,
    keys: readonly string[],
    options: GroupBuilderOptions = {},
    unary: Unary = listValues,
  ) {
    super(source, target, keys, options);
    this.#function = unary;
  }

  protected override get keysInMemory(): number {
    return this.memory ?? super.keysInMemory;
  }

  unaryFunction(items: Doc[]) {
    this.calls.push(copiesOf(items));
    return this.#function(items);
  }
}

/** The documents as they are now; values are shared. */
const copiesOf = (items: readonly Doc[]): Doc[] => items.map((item) => ({ ...item }));

export const KEYS = ['g'];

/** Two groups: a with 1 and 2, b with 3. */
export const source = () =>
  storeWith([
    { k: 1, g: 'a', v: 10, last_updated: at(1) },
    { k: 2, g: 'a', v: 20, last_updated: at(5) },
    { k: 3, g: 'b', v: 30, last_updated: at(3) },
  ]);

export const target = () => storeWith([], { key: 'g' });

/** Runs a builder and returns the groups that were built, each as the keys of its members. */
export async function built(
  from: Store,
  to: Store,
  options: GroupBuilderOptions = {},
  keys: readonly string[] = KEYS,
): Promise<unknown[][]> {
  const builder = new ListBuilder(from, to, keys, options);
  const report = await builder.run();
  expect(report.total).toBe(builder.calls.length);
  return builder.calls.map((items) => items.map((item) => item['k']));
}

/** What a builder plans, each as key, action and reason. */
export async function planOf(builder: ListBuilder): Promise<unknown[][]> {
  const entries: unknown[][] = [];
  for await (const { key, action, reason } of builder.plan()) entries.push([key, action, reason]);
  return entries;
}
