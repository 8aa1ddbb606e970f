// What must compile, and what must not. Nothing here runs: `tsc -b` checks it, and so does `compile.test.ts`.
import type {
  BuildEndedEvent,
  BuildReport,
  Criteria,
  Cursor,
  Doc,
  ItemFailedEvent,
  KeyCursor,
  loadfn,
  MapBuilderOptions,
  Store,
} from 'maggma';
import {
  arg,
  Builder,
  CopyBuilder,
  fromDict,
  JSONStore,
  MapBuilder,
  MemoryStore,
  MSONable,
  option,
  SerialProcessor,
} from 'maggma';

/** Compiles only when both types are the same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
function same<A, B>(_: Same<A, B>): void {}

type Material = { name: string; volume: number };

export async function events(processor: SerialProcessor): Promise<void> {
  processor.on('BUILD_ENDED', (event) => same<typeof event, BuildEndedEvent>(true));
  processor.on('ITEM_FAILED', (event) => same<typeof event, ItemFailedEvent>(true));
  processor.once('UPDATE', ({ items, builder, buildId }) => {
    same<typeof items, number>(true);
    same<typeof builder, string>(true);
    same<typeof buildId, string>(true);
  });
  // @ts-expect-error a misspelt event
  processor.on('BUILD_END', () => {});
  // @ts-expect-error not an event at all
  processor.on('error', () => {});
  // @ts-expect-error the payload has no such field
  processor.on('UPDATE', ({ documents }) => documents);
  // @ts-expect-error the payload is an object
  processor.on('PROGRESS', (fetched: number) => fetched);
  // @ts-expect-error an event is one object
  processor.on('UPDATE', (_event, more) => more);
  // @ts-expect-error payloads are read-only
  processor.on('UPDATE', (event) => (event.items = 0));
}

export async function stores(store: MemoryStore<Material>): Promise<void> {
  same<ReturnType<typeof store.query>, Cursor<Material>>(true);
  for await (const doc of store.query({ volume: { $gt: 1 } })) same<typeof doc, Material>(true);
  for await (const batch of store.query().batches(10)) same<typeof batch, Material[]>(true);
  same<Awaited<ReturnType<typeof store.queryOne>>, Material | null>(true);
  same<Awaited<ReturnType<typeof store.lastUpdated>>, Date | null>(true);
  same<ReturnType<typeof store.newerIn>, KeyCursor>(true);
  for await (const { group, docs } of store.groupBy(['name'])) {
    same<typeof group, Doc>(true);
    same<typeof docs, Material[]>(true);
  }
  await store.update({ name: 'iron', volume: 1 });
  await store.update([{ name: 'iron', volume: 1 }] as const);
  // @ts-expect-error a wrong type
  await store.update({ name: 'iron', volume: '1' });
  // @ts-expect-error a missing field
  await store.update([{ name: 'iron' }]);
  // @ts-expect-error an unknown direction
  store.query({}, { sort: { name: 2 } });
  // @ts-expect-error a misspelt option
  store.query({}, { projection: ['name'] });
  // @ts-expect-error which documents must be said
  await store.removeDocs();
  // @ts-expect-error options are fixed
  store.key = 'other';

  const untyped = new JSONStore('a.json', { key: 'name', readOnly: false });
  const doc = await untyped.queryOne();
  same<typeof doc, Doc | null>(true);
  // @ts-expect-error a misspelt option
  new JSONStore('a.json', { readonly: false });
  // @ts-expect-error one of two texts
  new MemoryStore({ lastUpdatedType: 'iso' });
  await using disposable = untyped;
  await disposable.connect();
}

interface ScaleOptions extends MapBuilderOptions {
  readonly factor?: number;
}

@MSONable(import.meta.url)
export class ScaleBuilder extends MapBuilder<Material> {
  @option() readonly factor: number;

  constructor(source: Store, target: Store, options: ScaleOptions = {}) {
    super(source, target, options);
    this.factor = options.factor ?? 2;
  }

  unaryFunction(item: Material) {
    same<typeof item, Material>(true);
    return { volume: item.volume * this.factor };
  }
}

// @ts-expect-error no unaryFunction
export class EmptyBuilder extends MapBuilder {}

export class WrongItemBuilder extends MapBuilder<Material> {
  // @ts-expect-error the item is a Material
  unaryFunction(item: { mass: number }) {
    return { mass: item.mass };
  }
}

export class WrongResultBuilder extends MapBuilder {
  // @ts-expect-error a result is a document
  unaryFunction(): number {
    return 1;
  }
}

export class CountBuilder extends Builder<string, { word: string; length: number }> {
  @arg() readonly words: Store;

  constructor(words: Store, target: Store) {
    super(words, target);
    this.words = words;
  }

  async *getItems() {
    yield 'a word';
  }

  override processItem(word: string) {
    return { word, length: word.length };
  }

  async updateTargets(results: readonly { word: string; length: number }[]): Promise<void> {
    await this.targets[0]?.update(results);
  }
}

export class MismatchedBuilder extends Builder<string, number> {
  // @ts-expect-error items are texts
  getItems() {
    return [1, 2];
  }

  // @ts-expect-error results are numbers
  override processItem(word: string) {
    return word;
  }

  async updateTargets(): Promise<void> {}
}

export async function builders(source: Store, target: Store): Promise<void> {
  const builder = new ScaleBuilder(source, target, { factor: 3, query: { volume: { $gt: 1 } } });
  same<Awaited<ReturnType<typeof builder.run>>, BuildReport>(true);
  const report = await builder.run({ signal: AbortSignal.timeout(1000) });
  same<typeof report.status, 'succeeded' | 'failed' | 'cancelled' | 'skipped'>(true);
  await new SerialProcessor({ maxFailures: 1 }).runAll([builder, new CountBuilder(source, target)]);
  // @ts-expect-error a misspelt option
  new ScaleBuilder(source, target, { faktor: 3 });
  // @ts-expect-error a misspelt option of the base class
  new CopyBuilder(source, target, { chunksize: 3 });
  // @ts-expect-error a target is missing
  new CopyBuilder(source);
  // @ts-expect-error not a store
  new CopyBuilder(source, 'target');
  // @ts-expect-error reports are read-only
  report.failed = 0;
  // @ts-expect-error an array is not one builder
  await new SerialProcessor().run([builder]);
}

export async function serialization(): Promise<void> {
  same<Awaited<ReturnType<typeof loadfn<ScaleBuilder>>>, ScaleBuilder>(true);
  const unknownValue = await fromDict({});
  same<typeof unknownValue, unknown>(true);
  // @ts-expect-error a misspelt option of the decorator
  option({ secrets: true });
}

export const criteria: Criteria = {
  name: /^a/,
  $or: [{ volume: { $in: [1, 2] } }, { volume: null }],
};
