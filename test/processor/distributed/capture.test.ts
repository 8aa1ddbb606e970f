import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { sealingKey, tlsKey } from '../../../src/processor/distributed/keys.js';
import { readSecret } from '../../../src/processor/distributed/secret-file.js';
import { describeRedis } from '../../describe-redis.js';
import { RedisServer } from '../../redis-server.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';
import { until } from './support.js';
import { Wire } from './tcp/places.js';

const ITEMS = 40;
/** A document; its text comes in the error of an item, too, and so in a log line. */
const docOf = (n: number) => ({
  k: `planted-key-${n + 10}`,
  a: `planted-text-${n}`,
  ...(n % 10 === 3 && { do: 'throw' }),
});

/** How bytes may be spelled: as they are, in hexadecimal digits, in base64 at any place of a longer text. */
function spellings(bytes: Uint8Array): Buffer[] {
  const inBase64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The first and the last digits depend on the neighbours.
    return Buffer.from(text.slice(4, -4));
  });
  return [Buffer.from(bytes), Buffer.from(Buffer.from(bytes).toString('hex')), ...inBase64];
}

/** Which of these are in there, in whatever spelling. */
function found(heard: Buffer, wanted: Readonly<Record<string, Uint8Array>>): string[] {
  const isThere = (bytes: Uint8Array) => spellings(bytes).some((each) => heard.includes(each));
  return Object.keys(wanted).filter((name) => isThere(wanted[name] as Uint8Array));
}

/** A run with a worker that is reached over a wire; what of it nobody else may see. */
async function run(cluster: Cluster, urls: { manager: string; worker: string }) {
  const { shop } = cluster;
  await shop.store(
    'source',
    Array.from({ length: ITEMS }, (_, n) => docOf(n)),
  );
  const manager = cluster.manager([['source', 'target']], { url: urls.manager, numChunks: 4 });
  const worker = cluster.worker({ url: urls.worker });
  const [report] = await reportsOf(manager);
  // All of it went over the wire: the plan, the results, the failures, the log.
  expect(report).toMatchObject({ status: 'succeeded', processed: ITEMS, failed: ITEMS / 10 });
  expect(report?.failures[0]).toMatchObject({
    key: 'planted-key-13',
    error: { message: 'planted-text-3 is bad' },
  });
  expect(manager.logged.join('\n')).toContain('planted-text-3 is bad');
  const { worker: name, done } = await workerReportOf(worker);
  expect(done).toBe(4);

  const secret = readSecret(shop.secretFile);
  const text = (value: string) => Buffer.from(value);
  const wanted = {
    ...{ document: text('planted-text'), key: text('planted-key'), error: text(' is bad') },
    ...{ secret, 'key of the connection': tlsKey(secret), 'key of the seals': sealingKey(secret) },
    'text of the secret': text(readFileSync(shop.secretFile, 'utf8').trim()),
    ...{ builder: text('DeedBuilder'), store: text('SQLiteStore'), module: text('builders.mjs') },
    ...{ folder: text(shop.folder), collection: text('"target"') },
  };
  return { wanted, worker: text(name) };
}

/** Nothing of that is in there; of this run it is, and whole. */
function expectNone(
  wanted: Readonly<Record<string, Uint8Array>>,
  heard: Buffer,
  where: string,
): void {
  expect(found(heard, wanted)).toEqual([]);
  console.log(`0 of ${Object.keys(wanted).length} found in ${heard.length} bytes ${where}`);
  // Who connects names the key in clear.
  expect(heard.includes('maggma')).toBe(true);
  expect(heard.length).toBeGreaterThan(5000);
}

/** All of that, in one spelling or another. */
const inClear = (wanted: Readonly<Record<string, Uint8Array>>) =>
  Buffer.concat(Object.values(wanted).map((bytes, n) => spellings(bytes)[n % 5] as Buffer));

test('what goes between manager and worker holds no document, no key, no secret and no name in clear', async () => {
  await using cluster = await Cluster.open();
  await using wire = await Wire.to(Number(new URL(cluster.url).port));
  const urls = { manager: cluster.url, worker: wire.url.href };
  const { worker, ...seen } = await run(cluster, urls);
  const wanted = { ...seen.wanted, worker };
  expectNone(wanted, wire.heard(), 'on the wire');
  expect(found(await heardOf(inClear(wanted)), wanted)).toEqual(Object.keys(wanted));
});

describeRedis('by way of a Redis', () => {
  test('what goes to it, and what it writes down, holds no document, no key and no secret in clear', async () => {
    await using server = await RedisServer.start();
    await using cluster = await Cluster.open(server.url);
    await using wire = await Wire.to(server.port);
    const { href } = Object.assign(new URL(server.url), { port: wire.url.port });
    const { wanted } = await run(cluster, { manager: href, worker: href });
    expectNone(wanted, wire.heard(), 'on the wire');
    expectNone(wanted, server.written(), 'on the disk');
    await server.ask((redis) => redis.set('in clear', inClear(wanted)));
    expect(found(server.written(), wanted)).toEqual(Object.keys(wanted));
  });
});

/** What a wire hears of bytes that go over it. */
async function heardOf(bytes: Buffer): Promise<Buffer> {
  const server = createServer((socket) => socket.resume().on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await using wire = await Wire.to((server.address() as AddressInfo).port);
    const socket = connect(Number(wire.url.port), '127.0.0.1');
    socket.on('error', () => undefined).end(bytes);
    await until('all was heard', 10_000, () => wire.heard().length === bytes.length);
    return wire.heard();
  } finally {
    server.close();
  }
}
