import * as fc from 'fast-check';
import type { Builder, Doc, Processor, Store } from 'maggma';
import { Decimal128, Long, ObjectId } from 'maggma';
import { expect } from 'vitest';
import { contents } from '../fixtures/stores.js';

/** Keys of all kinds. */
const KEYS: readonly unknown[] = [
  1,
  2.5,
  -3,
  Long.fromString('9007199254740993'),
  Decimal128.fromString('7.25'),
  'text',
  '',
  'ключ',
  '1',
  new ObjectId('507f1f77bcf86cd799439011'),
  new Date(86_400_000),
  true,
  false,
  { a: 1, b: 'two' },
];

/** Forms in which a time stamp may stand in a source; each gives the instant in milliseconds its form. */
const STAMPS: readonly ((ms: number) => unknown)[] = [
  (ms) => new Date(ms),
  (ms) => new Date(ms).toISOString(),
  (ms) => new Date(ms).toISOString().replace('Z', ''),
  (ms) => new Date(ms).toISOString().replace('Z', '123+00:00'),
  (ms) => new Date(ms + 7_200_000).toISOString().replace('Z', '+02:00'),
];

/** What happens to a source between two runs. */
type Edit =
  | { readonly kind: 'put'; readonly key: number; readonly a: number; readonly form: number }
  | { readonly kind: 'remove'; readonly key: number }
  /** A document without a time stamp, where there was none: that it changed, nothing would tell. */
  | { readonly kind: 'unstamped'; readonly key: number; readonly a: number };

const key = fc.nat(KEYS.length - 1);
const a = fc.nat(50);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      a,
      form: fc.nat(STAMPS.length - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unstamped' as const), key, a }) },
);

/** The edits before each run. */
export const sequences = fc.array(fc.array(edit, { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 4,
});

/** How one kind of builder is tried on one kind of store. */
export interface ConvergenceCase {
  store(): Promise<Store>;
  builder(source: Store, target: Store): Builder<Doc, Doc>;
  processor(): Processor;
}

/**
 * Carries out edits and runs, and checks the law: after each run the target is what a build from nothing would make, and
 * another run has nothing to do.
 */
export async function converges(
  sequence: readonly (readonly Edit[])[],
  { store, builder, processor }: ConvergenceCase,
): Promise<void> {
  await using source = await store();
  await using target = await store();
  // What has no time stamp gets today's; every change is later than that.
  let clock = Date.now() + 86_400_000;
  for (const edits of sequence) {
    for (const change of edits) {
      clock += 1000;
      await apply(source, target, change, clock);
    }
    await processor().run(builder(source, target));
    await using fresh = await store();
    await processor().run(builder(source, fresh));
    const [now, anew] = [target, fresh].map((each) => contents(each, 'last_updated', 'meta'));
    expect(await now).toEqual(await anew);
    expect(await processor().run(builder(source, target))).toMatchObject({ total: 0 });
  }
}

async function apply(source: Store, target: Store, change: Edit, now: number): Promise<void> {
  const k = KEYS[change.key];
  if (change.kind === 'remove') await source.removeDocs({ k: { $eq: k } });
  else if (change.kind === 'put')
    await source.update({ k, a: change.a, last_updated: STAMPS[change.form]?.(now) });
  else if (!(await holds(source, k)) && !(await holds(target, k)))
    await source.update({ k, a: change.a, ...(change.a % 2 === 0 && { last_updated: null }) });
}

const holds = async (store: Store, k: unknown): Promise<boolean> =>
  (await store.count({ k: { $eq: k } })) > 0;
