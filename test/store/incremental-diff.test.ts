import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Decimal128, EJSON, Long, ObjectId } from 'bson';
import { afterAll, describe, expect, test } from 'vitest';
import { StoreOperationError } from '../../src/errors/store-errors.js';
import { compareValues } from '../../src/query/compare.js';
import type { Doc } from '../../src/query/document.js';
import { compareStores } from '../../src/store/incremental-diff.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import type { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/store-options.js';
import { SCALE, SEED } from '../effort.js';
import { Random } from '../query/generate.js';
import { sameDocs } from '../query/support.js';
import { StreamedStore } from './streamed-store.js';

console.log(`incremental diff: TEST_SEED=${SEED} TEST_SCALE=${SCALE}`);

const folder = mkdtempSync(path.join(tmpdir(), 'maggma-diff-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OID = (n: number) => new ObjectId(n.toString(16).padStart(24, '0'));
const numbered = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** Keys of every type, each twice where one value can be written in two ways; the number says which are equal. */
type Key = readonly [value: unknown, number: string];
const named = (values: readonly unknown[], prefix: string): Key[] =>
  values.map((value, i) => [value, `${prefix}${i}`]);

const KEYS: Readonly<Record<string, readonly Key[]>> = {
  strings: named(
    [
      '',
      'a',
      'A',
      'b',
      'ab',
      'a\0',
      '10',
      '9',
      'ä',
      '😀',
      'ﬀ',
      'x'.repeat(600),
      `${'x'.repeat(600)}y`,
    ],
    's',
  ),
  numbers: [
    ...named(
      [
        -1,
        -1.5,
        0.5,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        2 ** 53,
        Long.fromString('9007199254740993'),
        1e300,
      ],
      'n',
    ),
    ...([0, -0, Long.fromNumber(0)] as const).map((zero) => [zero, 'zero'] as const),
    ...([7, Long.fromNumber(7), Decimal128.fromString('7.0')] as const).map(
      (seven) => [seven, 'seven'] as const,
    ),
  ],
  ObjectIds: named(
    numbered(12, (n) => OID(n * 77)),
    'o',
  ),
  Dates: named(
    numbered(10, (n) => new Date((n - 3) * 1e11)),
    'd',
  ),
  'nested documents': named(
    [
      {},
      { a: 1 },
      { a: 2 },
      { a: 1, b: 1 },
      { b: 1, a: 1 },
      { a: { b: [1] } },
      { a: { b: [2] } },
      { a: null },
    ],
    'e',
  ),
  arrays: named(
    [[], [1], [1, 2], [2, 1], [1, [2]], [[1]], [null], ['a', 1], [{ a: 1 }], [3, 1], [1, 3]],
    'l',
  ),
  booleans: named([true, false], 'b'),
};
const MIXED: readonly Key[] = Object.values(KEYS).flat();

/** Time stamps as they are written, and the instant that each means. */
const DAY = Date.UTC(2024, 4, 6);
const STAMPS: readonly (readonly [written: unknown, instant: number | null])[] = [
  [new Date(DAY), DAY],
  [new Date(DAY + 1), DAY + 1],
  [new Date(DAY - 5000), DAY - 5000],
  ['2024-05-06T00:00:00', DAY],
  ['2024-05-06T00:00:00Z', DAY],
  ['2024-05-06 00:00:00.001', DAY + 1],
  ['2024-05-06T00:00:00.001999', DAY + 1],
  ['2024-05-06T00:00:00.002000+00:00', DAY + 2],
  ['2024-05-06T05:30:00.001+05:30', DAY + 1],
  ['2024-05-05T19:00:00-0500', DAY],
  ['2024-05-06', DAY],
  [new Date(-1), -1],
  ['yesterday', null],
  ['2024-13-45T00:00:00', null],
  [17, null],
  [null, null],
  [true, null],
  [{ at: 'noon' }, null],
  [undefined, null],
];

/** One document on either side. */
interface Entry {
  readonly key: Key | null;
  readonly stamp: (typeof STAMPS)[number];
}

function entries(random: Random, keys: readonly Key[], count: number): Entry[] {
  return numbered(count, () => ({
    // Some documents have no key, or a null one.
    key: random.chance(0.05) ? null : random.pick(keys),
    stamp: random.pick(STAMPS),
  }));
}

/** What must be built, worked out without any of the code under test. */
function expectedKeys(
  source: readonly Entry[],
  target: readonly Entry[],
  exhaustive: boolean,
): Set<string> {
  const newest = (list: readonly Entry[]) => {
    const stamps = new Map<string, number | null>();
    for (const { key, stamp } of list) {
      if (key === null) continue;
      const known = stamps.get(key[1]) ?? null;
      const time = stamp[1];
      stamps.set(
        key[1],
        known === null || (time !== null && time > known) ? (time ?? known) : known,
      );
    }
    return stamps;
  };
  const theirs = newest(target);
  const last = target.reduce<number | null>(
    (latest, { stamp: [, time] }) =>
      time !== null && (latest === null || time > latest) ? time : latest,
    null,
  );
  const wanted = new Set<string>();
  for (const [number, time] of newest(source)) {
    const isNew = exhaustive ? !theirs.has(number) : last === null;
    const than = exhaustive ? (theirs.get(number) ?? null) : last;
    if (isNew || (time !== null && (than === null || time > than))) wanted.add(number);
  }
  return wanted;
}

const BACKENDS = {
  MemoryStore: (options: StoreOptions, _: string) => new MemoryStore(options),
  SQLiteStore: (options: StoreOptions, name: string) =>
    new SQLiteStore(path.join(folder, 'diff.db'), name, options),
} as const;

const FIELDS = {
  source: { key: 'k', lastUpdatedField: 'last_updated' },
  target: { key: 'meta.id', lastUpdatedField: 'state.changed_on' },
} as const;

let collections = 0;

type Side = keyof typeof FIELDS;

async function openStore(backend: keyof typeof BACKENDS, side: Side): Promise<Store> {
  const store: Store = BACKENDS[backend](FIELDS[side], `c${++collections}`);
  await store.connect();
  return store;
}

/** Puts documents in place of all that a store holds. */
async function refill(store: Store, side: Side, list: readonly Entry[]): Promise<void> {
  const docs = list.map(({ key, stamp: [stamp] }, i): Doc => {
    const value = key === null ? (i % 2 === 0 ? null : undefined) : key[0];
    return side === 'source'
      ? { _id: i, k: value, last_updated: stamp, noise: 'x' }
      : { _id: i, meta: { id: value, noise: 'x' }, state: { changed_on: stamp } };
  });
  await store.removeDocs({});
  // Not by the key of the store: several documents may have the same one.
  await store.update(docs, { key: '_id' });
}

async function storeOf(
  backend: keyof typeof BACKENDS,
  side: Side,
  list: readonly Entry[],
): Promise<Store> {
  const store = await openStore(backend, side);
  await refill(store, side, list);
  return store;
}

/** The numbers of found keys, which must come once each, in their order. */
function numbersOf(found: readonly unknown[], keys: readonly Key[]): string[] {
  return found.map((key) => {
    const known = keys.find(([value]) => sameDocs([value], [key], { ordered: true }));
    if (known === undefined) throw new Error(`nobody stored the key ${EJSON.stringify(key)}`);
    return known[1];
  });
}

/** What a key sorts by. */
const orderOf = (key: unknown): unknown =>
  Array.isArray(key) ? key.toSorted(compareValues)[0] : key;

const PAIRS = [
  ['MemoryStore', 'MemoryStore'],
  ['SQLiteStore', 'SQLiteStore'],
  ['MemoryStore', 'SQLiteStore'],
  ['SQLiteStore', 'MemoryStore'],
] as const;

describe.each(PAIRS)('newerIn of a %s, with a %s as source, is exact', (targetKind, sourceKind) => {
  test.each(Object.entries({ ...KEYS, 'all types mixed': MIXED }))(
    'for keys that are %s, with every form of time stamp',
    { timeout: 600_000 },
    async (name, keys) => {
      const rounds = Math.ceil(100 * SCALE);
      await using ours = await openStore(targetKind, 'target');
      await using theirs = await openStore(sourceKind, 'source');
      let found = 0;
      for (let round = 0; round < rounds; round++) {
        const seed = SEED + round;
        const random = new Random(seed);
        const source = entries(random, keys, 2 * keys.length);
        const target = entries(random, keys, random.below(2 * keys.length));
        await refill(ours, 'target', target);
        await refill(theirs, 'source', source);
        for (const exhaustive of [true, false]) {
          const built = await ours.newerIn(theirs, { exhaustive }).toArray();
          const numbers = numbersOf(built, keys);
          const wanted = expectedKeys(source, target, exhaustive);
          const where = `${name}, exhaustive ${exhaustive}, TEST_SEED=${seed}`;
          expect(numbers.toSorted(), where).toEqual([...wanted].toSorted());
          for (let i = 1; i < built.length; i++)
            expect(
              compareValues(orderOf(built[i - 1]), orderOf(built[i])),
              where,
            ).toBeLessThanOrEqual(0);
          found += built.length;
        }
      }
      expect(found).toBeGreaterThan(0);
    },
  );
});

describe.each(Object.keys(BACKENDS) as (keyof typeof BACKENDS)[])(
  'of a %s as source',
  (backend) => {
    test.each(Object.entries({ ...KEYS, 'all types mixed': MIXED }))(
      'each key that several documents have is told once, when the keys are %s',
      async (_, keys) => {
        const random = new Random(SEED);
        const list = entries(random, keys, 4 * keys.length);
        await using theirs = await storeOf(backend, 'source', list);
        // What occurs more than once in the target is nobody's business.
        await using ours = await storeOf('MemoryStore', 'target', [...list, ...list]);
        const told: unknown[] = [];
        const options = { onDuplicate: (key: unknown) => told.push(key) };
        for await (const batch of compareStores(ours, theirs, options)) void batch;
        const numbers = list.flatMap(({ key }) => (key === null ? [] : [key[1]]));
        const repeated = numbers.filter((number, i) => numbers.indexOf(number) !== i);
        expect(numbersOf(told, keys).toSorted()).toEqual([...new Set(repeated)].toSorted());
        expect(told.length).toBeGreaterThan(0);
      },
    );
  },
);

describe('time stamps', () => {
  const pairs = STAMPS.flatMap((source) => STAMPS.map((target) => [source, target] as const));

  test.each(Object.keys(BACKENDS) as (keyof typeof BACKENDS)[])(
    'every form against every other is compared as an instant, in a %s',
    async (backend) => {
      const keyed = (side: 0 | 1) =>
        pairs.map((pair, i): Entry => ({ key: [i, String(i)], stamp: pair[side] }));
      await using theirs = await storeOf(backend, 'source', keyed(0));
      await using ours = await storeOf(backend, 'target', keyed(1));
      const wanted = pairs.flatMap(([[, source], [, target]], i) =>
        source !== null && (target === null || source > target) ? [i] : [],
      );
      expect(await ours.newerIn(theirs).toArray()).toEqual(wanted);
      expect(wanted.length).toBeGreaterThan(50);
    },
  );

  test.each(
    STAMPS.map(([written, instant]) => [EJSON.stringify(written), written, instant] as const),
  )(
    'a source whose only time stamp is %s is built once into an empty target, and again when it is newer',
    async (_, written, instant) => {
      for (const exhaustive of [true, false]) {
        const one = (stamp: (typeof STAMPS)[number]): Entry[] => [{ key: ['a', 'a'], stamp }];
        await using theirs = await storeOf('MemoryStore', 'source', one([written, instant]));
        await using empty = await storeOf('MemoryStore', 'target', []);
        expect(await empty.newerIn(theirs, { exhaustive }).toArray()).toEqual(['a']);
        await using same = await storeOf(
          'MemoryStore',
          'target',
          one([new Date(instant ?? DAY), instant ?? DAY]),
        );
        expect(await same.newerIn(theirs, { exhaustive }).toArray()).toEqual([]);
        await using older = await storeOf(
          'MemoryStore',
          'target',
          one([new Date((instant ?? DAY) - 1), (instant ?? DAY) - 1]),
        );
        expect(await older.newerIn(theirs, { exhaustive }).toArray()).toEqual(
          instant === null ? [] : ['a'],
        );
      }
    },
  );
});

test('criteria choose among the documents of the source only', async () => {
  const list = numbered(10, (n): Entry => ({ key: [n, String(n)], stamp: [new Date(DAY), DAY] }));
  await using theirs = await storeOf('SQLiteStore', 'source', list);
  await using ours = await storeOf('MemoryStore', 'target', list.slice(0, 5));
  const criteria = { k: { $gte: 3, $lt: 8 } };
  expect(await ours.newerIn(theirs, { criteria }).toArray()).toEqual([5, 6, 7]);
});

test('a backend that does not keep to the order of keys is found out', async () => {
  const rows = (keys: readonly unknown[]) =>
    new StreamedStore(() => keys.map((k): Doc => ({ k })), { key: 'k' });
  await using ours = rows([]);
  await ours.connect();
  for (const keys of [
    [2, 1],
    ['a', 1],
    [1, 2, 2, 1],
  ]) {
    await using theirs = rows(keys);
    await theirs.connect();
    await expect(ours.newerIn(theirs).toArray()).rejects.toThrow(StoreOperationError);
  }
});

const MEGABYTE = 1 << 20;
const GROWTH_LIMIT = 150;

/**
 * Runs a comparison of two large stores in a process of its own, and tells what it counted.
 *
 * @param keep - Whether the process holds all that is found; otherwise garbage is collected early, so that it does not
 * pass for what is held.
 */
async function compareLarge(
  count: number,
  keep: boolean,
): Promise<{ keys: number; growthMb: number }> {
  const from = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const script = `
    const { StreamedStore } = await import(${from('./streamed-store.ts')});
    const count = ${count};
    const KEY_BYTES = 4000;
    // Texts with bytes of their own: what is held shows.
    const bytes = Buffer.alloc(KEY_BYTES, 'x');
    function* rows(total, step, stamp) {
      for (let i = 0; i < total; i += step) {
        bytes.write(String(i).padStart(12, '0'), 'latin1');
        yield { k: bytes.toString('latin1'), last_updated: stamp(i) };
      }
    }
    const open = async (total, step, stamp) => {
      const store = new StreamedStore(() => rows(total, step, stamp), { key: 'k' });
      await store.connect();
      return store;
    };
    const held = [];
    async function compare(total) {
      const source = await open(total, 1, (i) => new Date(i));
      // Every third key is missing or older here.
      const target = await open(total, 2, (i) => new Date(i % 3 === 0 ? i - 1 : i));
      let keys = 0;
      for (const exhaustive of [true, false])
        for await (const batch of target.newerIn(source, { exhaustive }).batches()) {
          keys += batch.length;
          if (${keep}) held.push(batch);
        }
      return keys;
    }
    await compare(5000);
    const before = process.resourceUsage().maxRSS;
    const keys = await compare(count);
    const after = process.resourceUsage().maxRSS;
    console.log(JSON.stringify({ keys, growthMb: Math.round((after - before) / 1024) }));`;
  const child = spawn(
    process.execPath,
    [
      ...(keep ? [] : ['--max-old-space-size=100', '--max-semi-space-size=4']),
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      script,
    ],
    {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 1_200_000,
    },
  );
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, 'close');
  expect(code, errors).toBe(0);
  return JSON.parse(output) as { keys: number; growthMb: number };
}

test('memory does not grow with the number of keys', { timeout: 1_200_000 }, async () => {
  const count = Math.ceil(1_000_000 * SCALE);
  const { keys, growthMb } = await compareLarge(count, false);
  console.log(`incremental diff of ${count} keys of 4000 bytes: ${growthMb} MB more at most`);
  // Odd ones are missing, and of the even ones those that three divides are older.
  const exhaustive = Math.floor(count / 2) + Math.ceil(count / 6);
  // The last ones may be newer than anything in the target.
  const beyond = numbered(10, (n) => count - 1 - n).filter((i) => i > newestTarget(count)).length;
  expect(keys).toBe(exhaustive + beyond);
  expect(growthMb).toBeLessThan(GROWTH_LIMIT);
});

/** The newest time stamp of the target above. */
function newestTarget(count: number): number {
  return Math.max(
    ...numbered(20, (n) => count - 1 - n)
      .filter((i) => i % 2 === 0)
      .map((i) => (i % 3 === 0 ? i - 1 : i)),
  );
}

test('the measure of memory would show keys that are held', { timeout: 600_000 }, async () => {
  const count = 50_000;
  const { growthMb } = await compareLarge(count, true);
  // Two thirds of all keys are found.
  expect(growthMb * MEGABYTE).toBeGreaterThan(0.5 * 4000 * count);
});
