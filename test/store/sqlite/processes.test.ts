import { expect, test } from 'vitest';
import { SCALE } from '../../effort.js';
import { expectConsistent, inOtherProcess, newFile, opened } from './support.js';

/** Lines of a child, without what it may still be writing. */
const lines = (output: string) => output.split('\n').slice(0, -1);

/** A store in the other process, connected. */
const connected = (file: string) => `
  const store = new SQLiteStore(${JSON.stringify(file)}, 'docs', { key: 'k' });
  await store.connect();`;

test('four processes write to one file, and a fifth reads, without one being told to wait', {
  timeout: 300_000,
}, async () => {
  const file = newFile();
  const batches = Math.ceil(60 * SCALE) + 3;
  const writers = [0, 1, 2, 3].map((writer) =>
    inOtherProcess(`${connected(file)}
      for (let batch = 0; batch < ${batches}; batch++) {
        const docs = Array.from({ length: 200 }, (_, i) => ({
          k: 'own-${writer}-' + (batch * 200 + i), text: 'x'.repeat(500), tags: [batch, i] }));
        const shared = Array.from({ length: 50 }, (_, i) => ({ k: 'shared-' + i, writer: ${writer}, batch }));
        await store.update([...docs, ...shared]);
        if (batch === 1) await store.ensureIndex(['tags', 'writer', 'batch', 'text'][${writer}]);
      }
      await store.close();
      console.log('done');`),
  );
  const reader = await opened({}, file);
  let isWriting = true;
  const ended = Promise.all(writers.map((writer) => writer.ended)).then((codes) => {
    isWriting = false;
    return codes;
  });
  for (let seen = 0; isWriting; ) {
    const count = await reader.count();
    expect(count).toBeGreaterThanOrEqual(seen);
    seen = (await reader.query({ k: { $regex: '^own' } }).toArray()).length;
    expect(seen % 200).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ended, writers.map((writer) => writer.output()).join('\n')).toEqual([0, 0, 0, 0]);
  expect(writers.map((writer) => writer.output().trim())).toEqual(Array(4).fill('done'));
  expect(await reader.count()).toBe(4 * batches * 200 + 50);
  console.log(`SQLiteStore: 4 writers stored ${4 * batches} batches of 250 documents, none lost`);
  expect(await reader.count({ tags: 1 })).toBeGreaterThan(0);
  expect(await reader.count({ writer: { $gte: 0 } })).toBe(50);
  await reader.close();
  await expectConsistent(file);
});

test('an index that another process makes is kept by a store that was open before', async () => {
  const file = newFile();
  const store = await opened({}, file);
  await store.update([
    { k: 1, a: 'x', u: 1 },
    { k: 2, a: ['x', 'y'], u: 2 },
  ]);
  const child = inOtherProcess(`${connected(file)}
    console.log(await store.ensureIndex('a'), await store.ensureIndex('u', { unique: true }));
    await store.close();`);
  await child.ended;
  expect(child.output().trim()).toBe('true true');
  await store.update([
    { k: 1, a: 'z', u: 1 },
    { k: 3, a: 'y', u: 3 },
  ]);
  await store.removeDocs({ k: 2 });
  await expect(store.update({ k: 4, u: 3 })).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
  expect(await store.count({ a: 'y' })).toBe(1);
  expect(await store.count({ a: 'x' })).toBe(0);
  await store.close();
  await expectConsistent(file);
});

test('a process that is killed while it writes loses nothing that was acknowledged', {
  timeout: 600_000,
}, async () => {
  const file = newFile();
  const rounds = Math.max(3, Math.ceil(100 * SCALE));
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    const child = inOtherProcess(`${connected(file)}
      await store.ensureIndex('tags');
      for (let batch = 0; ; batch++) {
        await store.update(Array.from({ length: 100 }, (_, i) => ({
          k: ${round} + '-' + batch + '-' + i, tags: [batch, i], text: 'x'.repeat(500) })));
        console.log('stored', batch);
      }`);
    // At another point of its work each time.
    await child.printed(`stored ${round % 7}`);
    child.kill();
    await child.ended;
    const stored = lines(child.output()).filter((line) => line.startsWith('stored'));
    expect(stored.length, child.output()).toBeGreaterThan(0);
    const keys = stored.flatMap((_, batch) =>
      Array.from({ length: 100 }, (_, i) => `${round}-${batch}-${i}`),
    );
    const store = await opened({}, file);
    expect(await store.count({ k: { $in: keys } })).toBe(keys.length);
    // A batch that was not acknowledged is there as a whole, or not at all.
    expect((await store.count()) % 100).toBe(0);
    acknowledged += keys.length;
    await store.close();
  }
  console.log(`SQLiteStore: ${rounds} writers killed, ${acknowledged} acknowledged documents kept`);
  await expectConsistent(file);
});

test('memory stays flat however many documents there are', { timeout: 1_200_000 }, async () => {
  const file = newFile();
  const count = Math.ceil(1_000_000 * SCALE);
  // The documents alone would need many times as much.
  const child = inOtherProcess(
    `${connected(file)}
    const total = ${count};
    for (let from = 0; from < total; from += 1000)
      await store.update(Array.from({ length: Math.min(1000, total - from) }, (_, i) => ({
        k: 'key-' + ((from + i) * 7919) % 1000003, n: from + i, last_updated: new Date(from + i), text: 'x'.repeat(1000) })));
    const lean = { properties: { _id: 0, k: 1, last_updated: 1 }, sort: { k: 1 } };
    for (const options of [{}, lean, { sort: { k: -1 } }, { sort: { n: -1 }, limit: 5000 }]) {
      let seen = 0;
      for await (const batch of store.query({}, options).batches()) seen += batch.length;
      console.log(seen);
    }
    let keys = 0;
    for await (const batch of store.newerIn(store).batches()) keys += batch.length;
    console.log(keys, await store.count(), await store.count({ n: { $lt: 10 } }), await store.removeDocs({ n: { $lt: total / 10 } }));
    await store.close();`,
    '--max-old-space-size=60',
  );
  expect(await child.ended, child.output()).toBe(0);
  expect(lines(child.output())).toEqual([
    String(count),
    String(count),
    String(count),
    String(Math.min(count, 5000)),
    `0 ${count} 10 ${count / 10}`,
  ]);
});
