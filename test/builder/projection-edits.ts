import { ObjectId } from 'bson';
import fc from 'fast-check';
import { expect } from 'vitest';
import { CopyBuilder } from '../../src/builder/copy-builder.js';
import type { ProjectionBuilderOptions } from '../../src/builder/projection-builder.js';
import { ProjectionBuilder } from '../../src/builder/projection-builder.js';
import type { Doc } from '../../src/query/document.js';
import { hashValue } from '../../src/query/hash.js';
import { getPath } from '../../src/query/path.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import type { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/store-options.js';
import { contents } from '../fixtures/stores.js';

/** Names that differ on all stores. */
export const SOURCE_OPTIONS: readonly StoreOptions[] = [
  { key: 'k', lastUpdatedField: 'lu' },
  { key: 'id', lastUpdatedField: 'changed' },
  { key: 'meta.id', lastUpdatedField: 'meta.at' },
];
export const TARGET_OPTIONS: StoreOptions = { key: 'key', lastUpdatedField: 'last_updated' };

/** One change of one source. */
interface Edit {
  readonly source: number;
  readonly key: number;
  readonly change: 'remove' | 'date' | 'iso' | 'python' | 'none' | 'unreadable';
  /** In which second the document says that it was changed: not in the order of the edits. */
  readonly second: number;
  readonly hasValue: boolean;
}

/** What happens before each run. */
export type Script = readonly (readonly Edit[])[];

const KEYS: readonly unknown[] = [
  1,
  '1',
  2.5,
  'b',
  '',
  true,
  new ObjectId('0123456789abcdef01234567'),
  new Date(5),
  { a: 1 },
];

/** Some edits, a run, some edits, a run, … */
export const scripts: fc.Arbitrary<Script> = fc.array(
  fc.array(
    fc.record<Edit>({
      source: fc.nat(SOURCE_OPTIONS.length - 1),
      key: fc.nat(KEYS.length - 1),
      change: fc.constantFrom('date', 'date', 'iso', 'python', 'none', 'unreadable', 'remove'),
      second: fc.nat(50),
      hasValue: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
  { minLength: 1, maxLength: 6 },
);

/** Ways to project. */
export const optionSets: fc.Arbitrary<ProjectionBuilderOptions> = fc.constantFrom(
  {},
  { fieldsToProject: [[], ['v', 'nested.x'], { w: 'v', 'nested.y': 'nested.x', at: 'changed' }] },
  { fieldsToProject: [{ v: 'nested' }, {}, ['v']], chunkSize: 3 },
  { queryByKey: [1, '1', KEYS[6], KEYS[8], 'nowhere'] },
);

/**
 * Carries a script out and checks the law after each run: the target is what a full build of the sources would give,
 * another run builds nothing, and whoever copies the target sees each change.
 *
 * @param stores - Connected and empty; the sources have {@link SOURCE_OPTIONS}, the target {@link TARGET_OPTIONS}.
 */
export async function checkConvergence(
  script: Script,
  options: ProjectionBuilderOptions,
  stores: { readonly sources: readonly Store[]; readonly target: Store },
): Promise<void> {
  const { sources, target } = stores;
  const downstream = await memoryStore();
  let sequence = 0;
  for (const edits of script) {
    for (const edit of edits) await apply(edit, sources[edit.source] as Store, ++sequence);
    const touched = new Set(edits.map(({ key }) => key));
    const { total, failed } = await new ProjectionBuilder(sources, target, options).run();
    expect(total).toBeLessThanOrEqual(touched.size);
    expect(failed).toBe(0);

    const full = await memoryStore();
    await new ProjectionBuilder(sources, full, options).run();
    const expected = await contents(full, 'last_updated');
    const keys = new Set(expected.map((doc) => hashValue(doc['key'])));
    const built = (await contents(target, 'last_updated')).filter((doc) =>
      keys.has(hashValue(doc['key'])),
    );
    expect(built).toEqual(expected);

    expect((await new ProjectionBuilder(sources, target, options).run()).total).toBe(0);
    await new CopyBuilder(target, downstream, { storeProcessTime: false }).run();
    expect(await contents(downstream, 'state')).toEqual(await contents(target));
  }
}

async function apply(edit: Edit, store: Store, sequence: number): Promise<void> {
  const { change, second, hasValue } = edit;
  const key = KEYS[edit.key];
  if (change === 'remove') {
    await store.removeDocs({ [store.key]: { $in: [key] } });
    return;
  }
  // Only a time stamp tells of a change, so what has none is always the same.
  const isStamped = change !== 'none' && change !== 'unreadable';
  const value = isStamped ? sequence : 'constant';
  const doc: Doc = {
    nested: { x: value, z: [value] },
    ...((hasValue || !isStamped) && { v: value }),
    [`of${edit.source}`]: value,
  };
  setFields(doc, store, key, stampOf(change, second * 1000 + (sequence % 1000)));
  await store.update(doc);
}

function setFields(doc: Doc, store: Store, key: unknown, stamp: unknown): void {
  for (const [field, value] of [
    [store.key, key],
    [store.lastUpdatedField, stamp],
  ] as const) {
    const [first = '', second] = field.split('.');
    if (second === undefined) doc[first] = value;
    else doc[first] = { ...(getPath(doc, first) as Doc | undefined), [second]: value };
  }
}

function stampOf(change: Edit['change'], ms: number): unknown {
  const date = new Date(Date.UTC(2020, 0, 1) + ms);
  switch (change) {
    case 'date':
      return date;
    case 'iso':
      return date.toISOString();
    case 'python':
      return `${date.toISOString().replace('T', ' ').replace('Z', '')}123`;
    case 'unreadable':
      return 'yesterday';
    default:
      return undefined;
  }
}

async function memoryStore(): Promise<MemoryStore> {
  const store = new MemoryStore(TARGET_OPTIONS);
  await store.connect();
  return store;
}
