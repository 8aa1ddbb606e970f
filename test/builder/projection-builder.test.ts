import { describe, expect, test, vi } from 'vitest';
import type { PlanEntry } from '../../src/builder/build-plan.js';
import type { ProjectionBuilderOptions } from '../../src/builder/projection-builder.js';
import { ProjectionBuilder } from '../../src/builder/projection-builder.js';
import { InvalidOptionError } from '../../src/errors/option-errors.js';
import { asDict, dumps } from '../../src/msonable/dump.js';
import { loads } from '../../src/msonable/load.js';
import { MultiProcessor } from '../../src/processor/multiprocess/multi-processor.js';
import type { Doc } from '../../src/query/document.js';
import { JSONSchemaValidator } from '../../src/store/json-schema-validator.js';
import type { MemoryStore } from '../../src/store/memory/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { at, contents, storeWith } from '../fixtures/stores.js';
import { StreamedStore } from '../store/streamed-store.js';

const numbered = (count: number, make: (k: number) => Doc): Doc[] =>
  Array.from({ length: count }, (_, k) => ({ k, last_updated: at(k), ...make(k) }));

/** The two sources of Python's tests: ten documents and fifteen. */
const tenAndFifteen = () =>
  Promise.all([
    storeWith(numbered(10, () => ({ a: 'a', b: 'b' }))),
    storeWith(numbered(15, () => ({ c: 'c', d: 'd' }))),
  ]);

/** What a build makes of two sources with one document each. */
async function merged(
  first: Doc,
  second: Doc,
  options: ProjectionBuilderOptions = {},
): Promise<Doc | undefined> {
  const sources = await Promise.all([
    storeWith([{ k: 1, ...first }]),
    storeWith([{ k: 1, ...second }]),
  ]);
  const target = await storeWith([]);
  await new ProjectionBuilder(sources, target, options).run();
  const [doc] = await contents(target, 'k', 'last_updated', '_sources');
  return doc;
}

const run = async (sources: readonly Store[], target: Store, options?: ProjectionBuilderOptions) =>
  (await new ProjectionBuilder(sources, target, options).run()).total;

describe('the arguments', () => {
  const create = (sources: unknown, target: unknown, options: object = {}) =>
    new ProjectionBuilder(sources as Store[], target as Store, options as ProjectionBuilderOptions);

  test('sources that are no list of stores are refused', async () => {
    const store = await storeWith([]);
    const target = await storeWith([]);
    for (const sources of [store, null, undefined, {}, [], [5], [store, null]])
      expect(() => create(sources, target)).toThrow(InvalidOptionError);
    expect(() => create([store], 5)).toThrow(/`targetStore`/);
  });

  test('the target cannot be one of the sources', async () => {
    const [store, other] = await tenAndFifteen();
    expect(() => create([other, store], store)).toThrow(/`targetStore`.*none of the sourceStores/);
  });

  test.each([
    ['no list', { a: 'a' }, /`fieldsToProject`.*a list/],
    ['text', 'a', /`fieldsToProject`.*a list/],
    ['too short', [['a']], /as long as sourceStores, which has 2/],
    ['too long', [[], [], []], /as long as sourceStores/],
    ['with text as an element', ['a', 'b'], /`fieldsToProject\[0\]`/],
    ['with null as an element', [[], null], /`fieldsToProject\[1\]`/],
    ['with a number as a field', [[5], []], /`fieldsToProject\[0\]`/],
    ['with an empty name', [[], { '': 'a' }], /`fieldsToProject\[1\]`/],
  ])('fieldsToProject that is %s is refused', async (_, fieldsToProject, message) => {
    const [first, second] = await tenAndFifteen();
    const target = await storeWith([]);
    const make = () => create([first, second], target, { fieldsToProject });
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(message);
  });

  test('queryByKey that is no list is refused', async () => {
    const [first] = await tenAndFifteen();
    const target = await storeWith([]);
    expect(() => create([first], target, { queryByKey: 'k' })).toThrow(/`queryByKey`/);
  });

  test('are never changed, nor are they seen when they change later', async () => {
    const [first, second] = await tenAndFifteen();
    const target = await storeWith([], { key: 'other' });
    const names: Record<string, string> = Object.freeze({ x: 'a' });
    const fieldsToProject = [names, Object.freeze(['c'])];
    const sources: Store[] = [first, second];
    const queryByKey = [1, 2];
    const builder = new ProjectionBuilder(sources, target, { fieldsToProject, queryByKey });
    sources.pop();
    fieldsToProject.pop();
    queryByKey.push(3);
    await builder.run();
    expect(await contents(target, 'last_updated', '_sources')).toEqual([
      { other: 1, x: 'a', c: 'c' },
      { other: 2, x: 'a', c: 'c' },
    ]);
    expect(names).toEqual({ x: 'a' });
  });
});

describe('which fields', () => {
  test('a list takes fields under their names, a record under new ones', async () => {
    const fieldsToProject = [{ newa: 'a', b: 'b' }, ['d']];
    expect(await merged({ a: 1, b: 2, x: 0 }, { c: 3, d: 4 }, { fieldsToProject })).toEqual({
      newa: 1,
      b: 2,
      d: 4,
    });
  });

  test('empty elements take everything, and so does null', async () => {
    const all = { a: 1, b: 2, c: 3 };
    expect(await merged({ a: 1, b: 2 }, { c: 3 }, { fieldsToProject: [[], {}] })).toEqual(all);
    expect(await merged({ a: 1, b: 2 }, { c: 3 }, { fieldsToProject: null })).toEqual(all);
  });

  test('the later source wins', async () => {
    expect(await merged({ v: 1, a: 1 }, { v: 2, b: 2 })).toEqual({ v: 2, a: 1, b: 2 });
    expect(await merged({ a: 1 }, { b: 2 }, { fieldsToProject: [{ v: 'a' }, { v: 'b' }] })).toEqual(
      {
        v: 2,
      },
    );
  });

  test('a field that the later source lacks stays, and no null is made up', async () => {
    const fieldsToProject = [
      ['v', 'w'],
      ['v', 'w', 'x'],
    ];
    expect(await merged({ v: 'good' }, { w: 1 }, { fieldsToProject })).toEqual({ v: 'good', w: 1 });
  });

  test('a null of the later source is a value, and wins', async () => {
    expect(await merged({ v: 'good' }, { v: null }, { fieldsToProject: [['v'], ['v']] })).toEqual({
      v: null,
    });
  });

  test('dotted names reach into documents, and into arrays by position', async () => {
    const fieldsToProject = [['a.b', 'a.c.d'], { 'x.y': 'list.1.v', w: 'a.b.none' }];
    const list = [{ v: 1 }, { v: 2, u: 3 }];
    expect(
      await merged(
        { a: { b: 1, c: { d: 2, e: 3 }, f: 4 } },
        { list, a: { b: 5 } },
        { fieldsToProject },
      ),
    ).toEqual({ a: { b: 1, c: { d: 2 } }, x: { y: 2 } });
  });

  test('a dotted name keeps what is beside it, and replaces what is no document', async () => {
    const fieldsToProject = [[], ['a.b', 'n.m']];
    const documents = [
      { a: { b: 1, c: 2 }, n: 5 },
      { a: { b: 3 }, n: { m: 6 } },
    ] as const;
    expect(await merged(...documents, { fieldsToProject })).toEqual({
      a: { b: 3, c: 2 },
      n: { m: 6 },
    });
  });

  test('_id and the time stamps of the sources are left out, unless they get a new name', async () => {
    const source = await storeWith(
      [{ _id: 7, id: 1, meta: { at: at(1), by: 'me' }, last_updated: 0 }],
      {
        key: 'id',
        lastUpdatedField: 'meta.at',
      },
    );
    const target = await storeWith([], { key: 'k', lastUpdatedField: 'lu' });
    await new ProjectionBuilder([source], target).run();
    expect(await target.queryOne()).toEqual({
      _id: expect.not.stringContaining('7'),
      k: 1,
      id: 1,
      lu: at(1),
      meta: { by: 'me' },
      last_updated: 0,
      _sources: [at(1)],
    });
    const renamed = await storeWith([]);
    await new ProjectionBuilder([source], renamed, { fieldsToProject: [{ t: 'meta.at' }] }).run();
    expect(await contents(renamed, '_sources')).toEqual([{ k: 1, t: at(1), last_updated: at(1) }]);
  });

  test('key and time stamp of the target are never taken from a source', async () => {
    const fieldsToProject = [{ k: 'a', last_updated: 'a', _id: 'a', _sources: 'a' }];
    const source = await storeWith([{ k: 1, a: 'a', last_updated: at(1) }]);
    const target = await storeWith([]);
    await new ProjectionBuilder([source], target, { fieldsToProject }).run();
    expect(await contents(target)).toEqual([{ k: 1, last_updated: at(1), _sources: [at(1)] }]);
  });

  test('fields named like parts of objects are data', async () => {
    const odd = JSON.parse('{ "__proto__": { "x": 1 }, "constructor": 2 }');
    const doc = await merged(
      odd,
      {},
      { fieldsToProject: [['__proto__.x', 'constructor', 'toString'], []] },
    );
    expect(Object.hasOwn(doc ?? {}, 'constructor')).toBe(true);
    expect(Object.hasOwn(doc ?? {}, 'toString')).toBe(false);
    expect(({} as Doc)['x']).toBeUndefined();
  });
});

describe('which keys', () => {
  test('all that a source has: 15 documents of 10 and 15', async () => {
    const sources = await tenAndFifteen();
    const target = await storeWith([]);
    expect(await run(sources, target)).toBe(15);
    expect(await target.count()).toBe(15);
    expect(await target.queryOne({ k: 0 })).toMatchObject({ a: 'a', d: 'd' });
    expect(await target.queryOne({ k: 12 })).not.toHaveProperty('a');
  });

  test('those of queryByKey, of which null is none', async () => {
    const sources = await tenAndFifteen();
    const target = await storeWith([]);
    expect(await run(sources, target, { queryByKey: [0, null, 1, 1, 99] })).toBe(2);
    expect(await target.distinct('k')).toEqual([0, 1]);
    const other = await storeWith([]);
    expect(await run(sources, other, { queryByKey: [null] })).toBe(0);
    expect(await run(sources, other, { queryByKey: [] })).toBe(15);
  });

  test('documents without a key are passed over, with a warning', async () => {
    const source = await storeWith([{ _id: 1, k: 1 }]);
    await source.update([{ _id: 2 }, { _id: 3, k: null }], { key: '_id' });
    const target = await storeWith([]);
    const builder = new ProjectionBuilder([source], target);
    const warn = vi.spyOn(builder.logger, 'warn');
    expect((await builder.run()).total).toBe(1);
    expect(warn.mock.calls.join()).toContain('2 documents of mem://memory_db have no k');
  });

  test('of several documents with one key the newest counts, with a warning', async () => {
    const source = await storeWith([]);
    await source.update(
      [
        { _id: 1, k: 1, v: 'old', last_updated: at(1) },
        { _id: 2, k: 1, v: 'new', last_updated: at(3) },
        { _id: 3, k: 1, v: 'older', last_updated: at(2) },
      ],
      { key: '_id' },
    );
    const target = await storeWith([]);
    const builder = new ProjectionBuilder([source], target);
    const warn = vi.spyOn(builder.logger, 'warn');
    expect((await builder.run()).total).toBe(1);
    expect(await target.queryOne()).toMatchObject({ v: 'new', last_updated: at(3) });
    expect(warn.mock.calls.join()).toMatch(/2 documents .* have a key that another one has/);
    expect((await builder.run()).total).toBe(0);
  });

  test('an array is one key', async () => {
    const source = await storeWith([
      { k: [1, 2], v: 'array', last_updated: at(1) },
      { k: 1, v: 'number', last_updated: at(1) },
    ]);
    const target = await storeWith([]);
    expect(await run([source], target, { queryByKey: [1] })).toBe(1);
    expect(await target.distinct('v')).toEqual(['number']);
    expect(await run([source], target)).toBe(1);
    expect(await run([source], target)).toBe(0);
    expect(await target.count()).toBe(2);
  });
});

describe('another run', () => {
  const built = async () => {
    const sources = await Promise.all([
      storeWith([
        { k: 1, a: 1, last_updated: at(10) },
        { k: 2, a: 2, last_updated: at(10) },
      ]),
      storeWith([
        { k: 1, b: 1, last_updated: at(20) },
        { k: 2, b: 2, last_updated: at(20) },
      ]),
    ]);
    const target = await storeWith([]);
    expect(await run(sources, target)).toBe(2);
    return { sources, first: sources[0] as MemoryStore, second: sources[1] as MemoryStore, target };
  };

  test('builds nothing when nothing changed', async () => {
    const { sources, target } = await built();
    const before = await contents(target);
    expect(await run(sources, target)).toBe(0);
    expect(await contents(target)).toEqual(before);
  });

  test('builds the keys of which a document is newer, with its time stamp', async () => {
    const { sources, first, target } = await built();
    await first.update({ k: 1, a: 'new', last_updated: at(30) });
    expect(await run(sources, target)).toBe(1);
    expect(await target.queryOne({ k: 1 })).toMatchObject({ a: 'new', b: 1, last_updated: at(30) });
  });

  test('sees a newer document that is older than the one of another source', async () => {
    const { sources, first, target } = await built();
    await first.update({ k: 1, a: 'new', last_updated: at(15) });
    expect(await run(sources, target)).toBe(1);
    expect(await target.queryOne({ k: 1 })).toMatchObject({ a: 'new', b: 1 });
    expect(await run(sources, target)).toBe(0);
  });

  test('builds the keys that lost a document, without its fields', async () => {
    const { sources, second, target } = await built();
    await second.removeDocs({ k: 2 });
    expect(await run(sources, target)).toBe(1);
    expect(await target.queryOne({ k: 2 })).not.toHaveProperty('b');
    expect(await run(sources, target)).toBe(0);
  });

  test('gives a document that changed a newer time stamp, whatever its members say', async () => {
    const { sources, second, target } = await built();
    await second.removeDocs({ k: 2 });
    await run(sources, target);
    const { last_updated } = (await target.queryOne({ k: 2 })) as Doc;
    expect(last_updated.getTime()).toBeGreaterThan(at(20).getTime());
  });

  test('gives a newer time stamp also when the one before is in the future', async () => {
    const { sources, second, target } = await built();
    const future = new Date(Date.now() + 1e9);
    await second.update({ k: 2, b: 2, last_updated: future });
    await run(sources, target);
    await second.removeDocs({ k: 2 });
    await run(sources, target);
    expect(await target.queryOne({ k: 2 })).toMatchObject({
      last_updated: new Date(future.getTime() + 1),
    });
  });

  test('builds the keys that got an old document from another source', async () => {
    const { sources, target } = await built();
    const third = await storeWith([{ k: 1, c: 3, last_updated: at(1) }]);
    expect(await run([...sources, third], target)).toBe(2);
    expect(await target.queryOne({ k: 1 })).toMatchObject({ a: 1, b: 1, c: 3 });
    expect(await run([...sources, third], target)).toBe(0);
  });

  test('builds everything when there are fewer sources than before', async () => {
    const { sources, first, target } = await built();
    expect(await run([first], target)).toBe(2);
    expect(await target.queryOne({ k: 1 })).not.toHaveProperty('b');
    expect(await run([first], target)).toBe(0);
    expect(await run(sources, target)).toBe(2);
  });

  test('builds what another program wrote into the target once more', async () => {
    const { sources, target } = await built();
    await target.update({ k: 1, a: 1, b: 1, last_updated: at(99) });
    expect(await run(sources, target)).toBe(1);
    expect(await target.queryOne({ k: 1 })).toMatchObject({ _sources: [at(10), at(20)] });
  });

  test('does not take what another builder remembers of a source document for its own', async () => {
    const fields = { state: 'failed', _schema: 'rules of another', _sources: [at(5)] };
    const source = await storeWith([{ k: 1, last_updated: at(1), ...fields }]);
    const target = await storeWith([]);
    expect(await run([source], target)).toBe(1);
    expect(await contents(target)).toEqual([
      { k: 1, last_updated: at(1), state: 'failed', _sources: [at(1)] },
    ]);
    expect(await run([source], target)).toBe(0);
  });

  test('leaves orphans, with a warning', async () => {
    const { sources, target } = await built();
    for (const source of sources) await source.removeDocs({ k: 2 });
    const builder = new ProjectionBuilder(sources, target);
    const warn = vi.spyOn(builder.logger, 'warn');
    expect((await builder.run()).total).toBe(0);
    expect(await target.count()).toBe(2);
    expect(warn.mock.calls.join()).toContain('No source has 1 of the keys');
  });

  test('warns of a source that is empty', async () => {
    const builder = new ProjectionBuilder([await storeWith([])], await storeWith([]));
    const warn = vi.spyOn(builder.logger, 'warn');
    await builder.run();
    expect(warn.mock.calls.join()).toContain('is empty: check its name');
  });

  test('builds everything when it is asked to', async () => {
    const { sources, target } = await built();
    const builder = new ProjectionBuilder(sources, target);
    builder.fullRefresh = true;
    expect((await builder.run()).total).toBe(2);
  });

  test('takes a document without a readable time stamp once, and names it', async () => {
    const source = await storeWith([
      { k: 1, v: 1 },
      { k: 2, v: 2, last_updated: 'yesterday' },
    ]);
    const target = await storeWith([]);
    const builder = new ProjectionBuilder([source], target);
    const warn = vi.spyOn(builder.logger, 'warn');
    expect((await builder.run()).total).toBe(2);
    expect(warn.mock.calls.join()).toMatch(/1 documents .*such as 2.* not a readable time stamp/);
    expect(await target.distinct('_sources')).toEqual([true]);
    expect((await builder.run()).total).toBe(0);
  });

  test('does not build again what the target refused, until the rules or a source change', async () => {
    const source = await storeWith([{ k: 1, v: 'x', last_updated: at(1) }]);
    const rules = (schema: Doc) => ({
      validator: new JSONSchemaValidator({ properties: { v: schema } }),
    });
    const target = await storeWith([], rules({ type: 'number' }));
    expect(await new ProjectionBuilder([source], target).run()).toMatchObject({
      total: 1,
      invalid: 1,
    });
    expect(await target.queryOne()).toMatchObject({
      k: 1,
      state: 'failed',
      error: expect.stringContaining('$.v: must be number'),
    });
    expect(await run([source], target)).toBe(0);
    await source.update({ k: 1, v: 'y', last_updated: at(2) });
    expect(await run([source], target)).toBe(1);

    const relaxed = await storeWith(await target.query().toArray().then(withoutIds), {
      ...rules({ type: 'string' }),
    });
    expect(await run([source], relaxed)).toBe(1);
    expect(await contents(relaxed)).toEqual([
      { k: 1, v: 'y', last_updated: expect.any(Date), _sources: [at(2)] },
    ]);
    expect(await run([source], relaxed)).toBe(0);
  });
});

const withoutIds = (docs: Doc[]): Doc[] => docs.map(({ _id, ...doc }) => doc);

describe('the plan', () => {
  test('says what a run would do and why, and writes nothing', async () => {
    const first = await storeWith([
      { k: 'changed', last_updated: at(1) },
      { k: 'lost', last_updated: at(1) },
      { k: 'same', last_updated: at(1) },
      { k: 'orphan', last_updated: at(1) },
    ]);
    const second = await storeWith([{ k: 'lost', last_updated: at(1) }]);
    const target = await storeWith([]);
    await run([first, second], target);
    await first.update([
      { k: 'changed', last_updated: at(2) },
      { k: 'added', last_updated: at(2) },
    ]);
    await first.removeDocs({ k: 'orphan' });
    await second.removeDocs({ k: 'lost' });
    const before = await contents(target);
    await target.close();

    const builder = new ProjectionBuilder([first, second], target);
    const plan: PlanEntry[] = [];
    for await (const entry of builder.plan()) plan.push(entry);
    expect(plan).toEqual([
      { key: 'added', action: 'build', reason: 'new' },
      { key: 'changed', action: 'build', reason: 'newer' },
      { key: 'lost', action: 'build', reason: 'members' },
      { key: 'orphan', action: 'leave', reason: 'orphan' },
    ]);
    expect([first.connected, target.connected]).toEqual([true, false]);
    await target.connect();
    expect(await contents(target)).toEqual(before);
  });
});

describe('elsewhere', () => {
  test('it is written under the name that Python has for it, and read again', async () => {
    const [first, second] = await tenAndFifteen();
    const builder = new ProjectionBuilder([first, second], await storeWith([]), {
      fieldsToProject: [['a'], { x: 'c' }],
      queryByKey: [1, 2],
      chunkSize: 10,
    });
    const { source_stores, target_store, ...rest } = asDict(builder);
    expect(rest).toEqual({
      '@module': 'maggma.builders.projection_builder',
      '@class': 'Projection_Builder',
      '@version': '0.74.0',
      fields_to_project: [['a'], { x: 'c' }],
      query_by_key: [1, 2],
      chunk_size: 10,
    });
    expect(source_stores).toHaveLength(2);
    expect(target_store).toMatchObject({ '@class': 'MemoryStore' });
    const text = dumps(builder);
    const read = await loads<ProjectionBuilder>(text);
    expect(read).toBeInstanceOf(ProjectionBuilder);
    expect(dumps(read)).toBe(text);
  });

  test('without options it is written with nulls', async () => {
    const builder = new ProjectionBuilder([await storeWith([])], await storeWith([]));
    expect(asDict(builder)).toMatchObject({ fields_to_project: null, query_by_key: null });
    expect(dumps(await loads(dumps(builder)))).toBe(dumps(builder));
  });

  test('prechunk cuts what is due into lists of keys', async () => {
    const sources = await tenAndFifteen();
    const target = await storeWith([]);
    const chunks: Record<string, unknown>[] = [];
    for await (const chunk of new ProjectionBuilder(sources, target).prechunk(4))
      chunks.push(chunk);
    expect(chunks).toHaveLength(4);
    expect(chunks.flatMap((chunk) => chunk['query_by_key'])).toEqual(
      numbered(15, () => ({})).map(({ k }) => k),
    );
    await run(sources, target);
    for await (const chunk of new ProjectionBuilder(sources, target).prechunk(4))
      expect.fail(`nothing is due, but there is ${JSON.stringify(chunk)}`);
  });

  test('workers give the same documents', async () => {
    const sources = await tenAndFifteen();
    const [serial, parallel] = await Promise.all([storeWith([]), storeWith([])]);
    const options = { fieldsToProject: [{ 'x.y': 'a' }, []] };
    await new ProjectionBuilder(sources, serial, options).run();
    const processor = new MultiProcessor({ numWorkers: 2 });
    const report = await new ProjectionBuilder(sources, parallel, options).run({ processor });
    expect(report).toMatchObject({ status: 'succeeded', succeeded: 15 });
    expect(await contents(parallel)).toEqual(await contents(serial));
  });

  test('sources are read no further ahead than a few batches', async () => {
    const count = 50_000;
    let read = 0;
    const streamed = (from: number) =>
      new StreamedStore(function* () {
        for (let task_id = from; task_id < count; task_id += 2) {
          read++;
          yield { task_id, last_updated: at(1) };
        }
      });
    const builder = new ProjectionBuilder([streamed(0), streamed(1)], await storeWith([]));
    let planned = 0;
    for await (const { reason } of builder.plan()) {
      expect(reason).toBe('new');
      if (read - ++planned > 5000) expect.fail(`${read} documents were read for ${planned} keys`);
    }
    expect(planned).toBe(count);
  });
});
