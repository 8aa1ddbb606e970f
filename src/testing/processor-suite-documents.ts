import { deepStrictEqual, equal } from 'node:assert/strict';
import {
  Binary,
  BSON,
  Code,
  Decimal128,
  EJSON,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'bson';
import type { Doc } from '../query/document.js';
import type { ProcessorSuite } from './processor-suite.js';
import { MIX_OUTCOME } from './processor-suite-mix.js';
import { contents } from './store-contents.js';
import { built } from './suite-builder.js';

const VALUES: Doc = {
  k: 1,
  id: new ObjectId('562e8301218dcbbc3d7d91ce'),
  long: Long.fromString('9007199254740993'),
  smallLong: Long.fromNumber(5),
  decimal: Decimal128.fromString('1.50'),
  binary: new Binary(Uint8Array.of(0, 1, 255), 128),
  uuid: new UUID('12345678-1234-5678-1234-567812345678'),
  date: new Date('2020-01-02T03:04:05.678Z'),
  old: new Date('0099-01-02T00:00:00.000Z'),
  regex: /^a\/b/im,
  timestamp: new Timestamp({ t: 1, i: 2 }),
  ends: [new MinKey(), new MaxKey()],
  code: new Code('x'),
  nan: Number.NaN,
  infinities: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  zero: -0,
  numbers: [1, 1.5, 2 ** 31, 2 ** 53, 5e-324],
  nothing: null,
  yes: true,
  text: 'Å😀\u0000"\\',
  nested: [[], [[new Date(0), [null, -0]]], {}],
  names: JSON.parse('{"": 1, "a.b": 2, "$c": 3, "__proto__": 4, "constructor": 5, "ü": {"": 6}}'),
};

/** What is built, and what arrives at `updateTargets`. */
export function testDocuments(suite: ProcessorSuite): void {
  const { it, build, builder: builderOf, mixed } = suite;
  const numbered = (n: number): Doc[] => Array.from({ length: n }, (_, k) => ({ k }));

  it('brings values of all types to processItem and from there to the target', async () => {
    const builder = await builderOf([VALUES]);
    await build(builder);
    const [doc = {}] = await contents(builder.target);
    const expected = built(VALUES);
    equal(EJSON.stringify(doc, { relaxed: false }), EJSON.stringify(expected, { relaxed: false }));
    // Also what EJSON leaves out, such as a field that is named __proto__.
    deepStrictEqual(Buffer.from(BSON.serialize(doc)), Buffer.from(BSON.serialize(expected)));
  });

  it('builds exactly what is to be built of a mix of items', async () => {
    const { builder, report } = await mixed();
    deepStrictEqual(await contents(builder.target), MIX_OUTCOME.built.map(built));
    equal(report.succeeded, MIX_OUTCOME.built.length);
  });

  it('writes nothing for items for which processItem returns null or undefined', async () => {
    const { builder, report } = await mixed();
    const keys = new Set(builder.written.flat().map((result) => (result as Doc)['k']));
    deepStrictEqual(
      MIX_OUTCOME.skipped.filter((doc) => keys.has(doc['k'])),
      [],
    );
    equal(report.skipped, MIX_OUTCOME.skipped.length);
  });

  it('builds the same when a processor runs a builder again', async () => {
    const processor = suite.create();
    const builder = await builderOf([...numbered(5), { k: 5, do: 'throw' }]);
    for (let run = 0; run < 2; run++) {
      const { report } = await build(builder, { processor });
      deepStrictEqual([report.succeeded, report.failed], [5, 1]);
      deepStrictEqual(await contents(builder.target), numbered(5).map(built));
    }
  });

  it('hands updateTargets as many results as chunkSize says, and less only at the end', async () => {
    const builder = await builderOf(numbered(50), { chunkSize: 7 });
    await build(builder);
    deepStrictEqual(
      builder.written.map((results) => results.length),
      [7, 7, 7, 7, 7, 7, 7, 1],
    );
  });

  it('writes the results of an ordered builder in the order of its items', async () => {
    const docs = numbered(60).map(({ k }) => ({ k, do: 'promise', ms: k === 0 ? 60 : k % 4 }));
    const bad = [
      { k: 60, do: 'throw' },
      { k: 61, do: 'skip' },
      { k: 62, do: 'copy' },
    ];
    const builder = await builderOf([...docs, ...bad], { chunkSize: 8, ordered: true });
    await build(builder);
    deepStrictEqual(
      builder.written.flat().map((result) => (result as Doc)['k']),
      [...numbered(60).map(({ k }) => k), 62],
    );
  });

  it('takes items and results that are no documents', async () => {
    const items = [
      1,
      'two',
      [3, [-0]],
      true,
      new Date(5),
      1.5,
      new ObjectId('562e8301218dcbbc3d7d91ce'),
    ];
    const builder = await builderOf(
      [],
      { ordered: true },
      { getItems: () => items, updateTargets: async () => undefined },
    );
    const { report } = await build(builder);
    equal(report.succeeded, items.length);
    deepStrictEqual(
      EJSON.stringify(builder.written.flat(), { relaxed: false }),
      EJSON.stringify(items, { relaxed: false }),
    );
  });
}
