import { isDeepStrictEqual } from 'node:util';
import { EJSON } from 'bson';
import { isMaggmaError } from '../../../src/errors/maggma-error.js';
import type { Criteria } from '../../../src/query/criteria.js';
import type { Doc } from '../../../src/query/document.js';
import type { Store } from '../../../src/store/store.js';
import type { QueryOptions } from '../../../src/store/store-options.js';
import { Generator } from '../../query/generate.js';

/** Freezes a value and all that it holds, so that a write to it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/** A question with an exact answer. */
export interface Question {
  readonly verb: 'query' | 'count' | 'distinct' | 'groupBy';
  readonly criteria: Criteria;
  readonly field: string;
  readonly options: QueryOptions;
}

/** Makes random questions about documents of a {@link Generator}. */
function question(generator: Generator): Question {
  const { random } = generator;
  const verb = random.pick(['query', 'query', 'query', 'query', 'count', 'distinct', 'groupBy']);
  const isSorted = random.chance(0.7);
  const projection = random.chance(0.6) ? generator.projection() : undefined;
  return {
    verb: verb as Question['verb'],
    criteria: random.chance(0.3) ? {} : generator.criteria(),
    field: generator.path(),
    options: {
      ...(isSorted && { sort: generator.sort() }),
      ...(projection && verb === 'query' && { properties: projection }),
      ...(random.chance(0.5) && { skip: random.below(6) }),
      ...(random.chance(0.5) && { limit: random.below(12) }),
    },
  };
}

/** What a store answers; the class of the error when it refuses. */
async function answer(store: Store, asked: Question): Promise<unknown> {
  const { verb, criteria, field, options } = asked;
  try {
    if (verb === 'count') return await store.count(criteria);
    if (verb === 'distinct') return await store.distinct(field, criteria);
    if (verb === 'query') return await store.query(criteria, options).toArray();
    const groups: unknown[] = [];
    for await (const group of store.groupBy(field, criteria, options)) groups.push(group);
    return groups;
  } catch (error) {
    if (!isMaggmaError(error)) throw error;
    return error;
  }
}

export interface Comparison {
  /** Questions with an answer that is not empty, by verb. */
  readonly answered: Record<string, number>;
  readonly refused: number;
  readonly differences: readonly string[];
}

/**
 * Puts random questions to a store and to one that holds the same documents.
 *
 * @param isExcused - Whether an error of the first one is right although the second one answers.
 */
export async function compare(
  store: Store,
  reference: Store,
  seed: number,
  count: number,
  isExcused: (error: Error) => boolean = () => false,
): Promise<Comparison> {
  const generator = new Generator(seed);
  const answered: Record<string, number> = {};
  const differences: string[] = [];
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const asked = question(generator);
    const [got, wanted] = [await answer(store, asked), await answer(reference, asked)];
    const isRefused = wanted instanceof Error;
    if (got instanceof Error && isExcused(got)) continue;
    if (isRefused) refused++;
    else if (wanted !== 0 && (wanted as unknown[]).length !== 0)
      answered[asked.verb] = (answered[asked.verb] ?? 0) + 1;
    const isSame = isRefused
      ? got instanceof Error && got.name === wanted.name
      : isDeepStrictEqual(got, wanted);
    if (!isSame) differences.push(`${show(asked)}\n  got ${show(got)}\n  not ${show(wanted)}`);
  }
  return { answered, refused, differences };
}

const show = (value: unknown): string =>
  (value instanceof Error
    ? String(value)
    : EJSON.stringify(value as Doc, { relaxed: false })
  ).slice(0, 600);
