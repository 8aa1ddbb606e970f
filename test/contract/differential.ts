import { deepStrictEqual } from 'node:assert/strict';
import { EJSON } from 'bson';
import { InvalidQueryError } from '../../src/errors/query-errors.js';
import { compileFilter } from '../../src/query/criteria.js';
import type { Doc } from '../../src/query/document.js';
import type { Projection } from '../../src/query/projection.js';
import type { SortSpec } from '../../src/query/sort.js';
import { compileSort } from '../../src/query/sort.js';
import type { Store } from '../../src/store/store.js';
import type { QueryOptions } from '../../src/store/store-options.js';
import { Generator } from '../query/generate.js';
import { sameDocs } from '../query/support.js';

/** Every path that the questions look at, and one index over two fields. */
export const INDEXES: readonly (string | readonly string[])[] = [
  ...['a', 'b', 'c', 'a.b', 'a.c', 'a.0', 'b.a', 'a.b.c'],
  ['c', 'b'],
];

export const text = (value: unknown): string => EJSON.stringify(value, { relaxed: false });

/** What is asked of every store. */
export type Question =
  | { readonly verb: 'query'; readonly criteria: Doc; readonly options: QueryOptions }
  | { readonly verb: 'count'; readonly criteria: Doc }
  | { readonly verb: 'distinct'; readonly criteria: Doc; readonly field: string }
  | {
      readonly verb: 'groupBy';
      readonly criteria: Doc;
      readonly keys: readonly string[];
      readonly options: QueryOptions;
    }
  | { readonly verb: 'removeDocs'; readonly criteria: Doc };

/** What came of a question; `order` is what the order of documents must agree in. */
export interface Answer {
  readonly values: readonly unknown[] | 'refused';
  readonly order: 'all' | 'sort' | 'none';
}

const CRITERIA_TRIES = 50;

/** Makes questions about generated documents. */
export class Questions {
  readonly make: Generator;

  constructor(seed: number) {
    this.make = new Generator(seed);
  }

  docs(count: number, from = 0): Doc[] {
    return Array.from({ length: count }, (_, i) => this.make.doc(from + i));
  }

  /** The shares of the verbs are fixed: six of ten questions look at filters alone. */
  next(): Question {
    const { random } = this.make;
    const roll = random.next();
    if (roll < 0.35) return { verb: 'query', criteria: this.make.criteria(), options: {} };
    if (roll < 0.45)
      return { verb: 'query', criteria: {}, options: { properties: this.properties() } };
    if (roll < 0.7) return { verb: 'query', criteria: this.criteria(), options: this.sorted() };
    if (roll < 0.8) return { verb: 'count', criteria: this.make.criteria() };
    if (roll < 0.9) return { verb: 'distinct', criteria: this.criteria(), field: this.make.path() };
    const keys = [this.make.path(), ...random.list(1, () => this.make.path())];
    const options = {
      sort: { _id: 1 } as const,
      ...(random.chance(0.5) && { properties: ['_id', 'b'] }),
      ...(random.chance(0.3) && { limit: random.below(30) }),
    };
    return { verb: 'groupBy', criteria: this.criteria(), keys, options };
  }

  /** All documents half of the time, and never a filter that is refused. */
  criteria(): Doc {
    if (this.make.random.chance(0.5)) return {};
    for (let i = 0; i < CRITERIA_TRIES; i++) {
      const criteria = this.make.criteria();
      if (!isRefused(() => compileFilter(criteria))) return criteria;
    }
    throw new Error(`${CRITERIA_TRIES} generated filters in a row are invalid`);
  }

  /** Names of fields, or a projection. */
  properties(): readonly string[] | Projection {
    const { random } = this.make;
    return random.chance(0.2)
      ? random.list(3, () => random.pick(['a', 'b', 'c', 'a.b', '_id']))
      : (this.make.projection() as Projection);
  }

  /** A sort; half of them leave no ties, so that everything else can be asked for, too. */
  sorted(): QueryOptions {
    const { random } = this.make;
    const isTotal = random.chance(0.5);
    const sort: SortSpec = { ...this.make.sort(), ...(isTotal && { _id: random.pick([1, -1]) }) };
    return {
      sort,
      ...(random.chance(0.5) && { skip: random.below(20) }),
      ...(random.chance(0.5) && { limit: random.below(60) }),
      ...(isTotal && random.chance(0.3) && { properties: this.properties() }),
    };
  }
}

/** Puts a question to a store. */
export async function ask(store: Store, question: Question): Promise<Answer> {
  const order = orderOf(question);
  try {
    return { values: await valuesOf(store, question), order };
  } catch (error) {
    if (error instanceof InvalidQueryError) return { values: 'refused', order };
    throw error;
  }
}

async function valuesOf(store: Store, question: Question): Promise<readonly unknown[]> {
  const { criteria } = question;
  switch (question.verb) {
    case 'query':
      return store.query(criteria, question.options).toArray();
    case 'count':
      return [await store.count(criteria)];
    case 'distinct':
      return store.distinct(question.field, criteria);
    case 'groupBy': {
      const groups: unknown[] = [];
      for await (const group of store.groupBy(question.keys, criteria, question.options))
        groups.push(group);
      return groups;
    }
    case 'removeDocs':
      return [await store.removeDocs(criteria)];
  }
}

function orderOf(question: Question): Answer['order'] {
  if (question.verb === 'groupBy') return 'all';
  const sort = question.verb === 'query' ? question.options.sort : undefined;
  if (sort === undefined) return 'none';
  return '_id' in sort ? 'all' : 'sort';
}

/** How exactly answers must agree: in the classes of their values, or as MongoDB compares them. */
export type Sameness = 'exactly' | 'as values';

/** What differs between two answers, or undefined. */
export function difference(
  question: Question,
  found: Answer,
  wanted: Answer,
  sameness: Sameness,
): string | undefined {
  if (found.values === 'refused' || wanted.values === 'refused')
    return found.values === wanted.values
      ? undefined
      : `${text(found.values)} for ${text(wanted.values)}`;
  const same =
    found.order === 'sort'
      ? sameInSort(question, found.values as Doc[], wanted.values as Doc[])
      : // Of equal values of different classes, `distinct` gives the one it met first.
        sameValues(
          found.values,
          wanted.values,
          found.order === 'all',
          question.verb === 'distinct' ? 'as values' : sameness,
        );
  return same ? undefined : `${text(found.values)} for ${text(wanted.values)}`;
}

/** With ties any of the documents may come, also at the ends that `skip` and `limit` cut. */
function sameInSort(question: Question, found: readonly Doc[], wanted: readonly Doc[]): boolean {
  const { criteria } = question;
  const sort = question.verb === 'query' ? question.options.sort : undefined;
  const { compare } = compileSort(sort ?? {});
  const filter = compileFilter(criteria);
  return (
    found.length === wanted.length &&
    new Set(found.map((doc) => text(doc['_id']))).size === found.length &&
    found.every((doc, i) => filter.matches(doc) && compare(doc, wanted[i] ?? {}) === 0)
  );
}

function sameValues(
  found: readonly unknown[],
  wanted: readonly unknown[],
  ordered: boolean,
  sameness: Sameness,
): boolean {
  if (sameness === 'as values') return sameDocs(found, wanted, { ordered });
  const texts = (list: readonly unknown[]) => {
    const all = list.map(text);
    return ordered ? all : all.sort();
  };
  try {
    deepStrictEqual(texts(found), texts(wanted));
    return true;
  } catch {
    return false;
  }
}

function isRefused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof InvalidQueryError) return true;
    throw error;
  }
}
