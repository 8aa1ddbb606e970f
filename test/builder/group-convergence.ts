import { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import type { GroupBuilderOptions } from 'maggma';
import { expect } from 'vitest';
import type { Doc } from '../../src/query/document.js';
import { hashValue } from '../../src/query/hash.js';
import type { Store } from '../../src/store/store.js';
import { GroupTotalBuilder } from '../fixtures/group-total-builder.js';
import { contents } from '../fixtures/stores.js';

/** Stands for a field that a document does not have. */
const MISSING = Symbol('missing');

/** Values that servers of every make tell apart, and find again. */
const COMMON = [MISSING, null, 'a', '', '[', '[null]', '["a"]', 0, 1, -1.5, 2 ** 53, true, false];
const VALUES: readonly unknown[] = [
  ...COMMON,
  Long.fromNumber(1),
  Long.fromString('9007199254740993'),
  Decimal128.fromString('0.1'),
  Decimal128.fromString('1.0'),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  new Date(5),
  new ObjectId('0123456789abcdef01234567'),
  new Binary(Buffer.from('xyz'), 0),
  new Timestamp({ t: 1, i: 2 }),
  new MinKey(),
  new MaxKey(),
  /a/i,
  [],
  [1],
  [1, 2],
  [null],
  ['a'],
  [[1]],
  {},
  { x: 1 },
  { x: 1, y: 2 },
  { y: 2, x: 1 },
  [{ x: 1 }, { x: 2 }, { y: 1 }],
];

const KEYS: readonly unknown[] = [
  ...Array.from({ length: 6 }, (_, n) => n),
  'a',
  'b',
  '1',
  new ObjectId('0123456789abcdef01234567'),
  new Date(7),
  true,
];

interface Edit {
  readonly kind: 'put' | 'late' | 'remove' | 'move';
  readonly key: unknown;
  readonly g: unknown;
  readonly h: unknown;
  readonly v: number;
}

const editsOf = (values: readonly unknown[]) =>
  fc.array(
    fc.record<Edit>({
      kind: fc.constantFrom('put', 'put', 'late', 'remove', 'move'),
      key: fc.constantFrom(...KEYS),
      // Few values at a time, so that groups have several members.
      g: fc.oneof(fc.constantFrom(...values), fc.constantFrom(...values.slice(0, 4))),
      h: fc.constantFrom(...values.slice(0, 3)),
      v: fc.integer({ min: 0, max: 20 }),
    }),
    { minLength: 1, maxLength: 12 },
  );

const setups = fc.record({
  groupingKeys: fc.constantFrom(['g'], ['g'], ['g', 'h'], ['h', 'n.g'], ['n.g'], ['g.x']),
  targetKey: fc.constantFrom('group' as const, 'group' as const, 'firstMember' as const),
  compare: fc.constantFrom('timestamp' as const, 'content' as const),
  chunkSize: fc.constantFrom(1, 2, 1000),
  memory: fc.constantFrom(0, 3, 1000),
});

/** Gives a new store; the same kind each time. */
export type Open = (key: string) => Promise<Store>;

interface Setup extends Pick<GroupBuilderOptions, 'targetKey' | 'compare' | 'chunkSize'> {
  readonly groupingKeys: readonly string[];
  readonly memory: number;
}

/**
 * The law of incremental builds, for generated documents, edits and options: after each run the target is what a full
 * build into an empty one gives, and the next run has nothing to do.
 */
export const convergence = (open: Open, values: readonly unknown[] = VALUES) =>
  fc.asyncProperty(
    setups,
    fc.array(editsOf(values), { minLength: 2, maxLength: 5 }),
    async (setup, steps) => {
      const [source, target] = [await open('k'), await open('id')];
      const state = { clock: Date.UTC(2040, 0, 1), seen: new Set<unknown>() };
      for (const edits of steps) {
        for (const edit of edits) await apply(source, edit, state);
        await build(source, target, setup);
        const fresh = await open('id');
        await build(source, fresh, setup);
        expect(await comparable(target, setup)).toEqual(await comparable(fresh, setup));
        expect(await build(source, target, setup)).toBe(0);
        await fresh.close();
      }
      await source.close();
      await target.close();
    },
  );

/** For servers that do not sort and find all values as MongoDB does. */
export const COMMON_VALUES: readonly unknown[] = COMMON;

/** What the edits of one sequence share. */
interface EditState {
  clock: number;
  /** The keys that there ever were. */
  readonly seen: Set<unknown>;
}

async function apply(source: Store, edit: Edit, state: EditState): Promise<void> {
  const { kind, key, g, h, v } = edit;
  const known = await source.queryOne({ k: key });
  if (kind === 'remove') await source.removeDocs({ k: key });
  else if (kind === 'put') {
    // A change is seen by its time stamp.
    state.clock += 1000;
    await source.update({ ...fields(g, h), k: key, v, last_updated: new Date(state.clock) });
  } else if (kind === 'move' && known !== null)
    // A move is seen without one.
    await source.update({
      ...fields(g, h),
      k: key,
      v: known['v'],
      ...('last_updated' in known && { last_updated: known['last_updated'] }),
    });
  // Without a time stamp only what is new can be seen, not what comes back as another.
  else if (kind === 'late' && !state.seen.has(key))
    await source.update({ ...fields(g, h), k: key, v });
  if (kind === 'put' || kind === 'late') state.seen.add(key);
}

function fields(g: unknown, h: unknown): Doc {
  return {
    ...(g !== MISSING && { g, n: { g } }),
    ...(h !== MISSING && { h }),
  };
}

class ScarceBuilder extends GroupTotalBuilder {
  memory = 0;

  protected override get keysInMemory(): number {
    return this.memory;
  }
}

async function build(source: Store, target: Store, setup: Setup): Promise<number | null> {
  const { groupingKeys, memory, compare, ...options } = setup;
  // A class has a name in files, or its contents cannot be compared.
  const Class = compare === 'content' ? GroupTotalBuilder : ScarceBuilder;
  const builder = new Class(source, target, groupingKeys, {
    ...options,
    compare,
    deleteOrphans: true,
    maxOrphanShare: 1,
  });
  if (builder instanceof ScarceBuilder) builder.memory = memory;
  return (await builder.run()).total;
}

/** What a target holds, without what depends on when it was built. */
async function comparable(target: Store, { compare }: Setup): Promise<Map<unknown, Doc>> {
  const docs = await contents(target);
  return new Map(
    docs.map(({ id, last_updated, ks, ...doc }) => [
      hashValue(id),
      {
        ...doc,
        ks: (ks as unknown[]).map(hashValue),
        // Where contents are compared, a new time stamp alone changes nothing.
        ...(compare === 'timestamp' && isLater(last_updated) && { last_updated }),
      },
    ]),
  );
}

/** False for the time of the build, which stands for time stamps that the members lack. */
const isLater = (stamp: unknown): boolean =>
  stamp instanceof Date && stamp.getTime() >= Date.UTC(2040, 0, 1);
