import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { sealingKey, tlsKey } from '../../../src/processor/distributed/keys.js';
import { readSecret } from '../../../src/processor/distributed/secret-file.js';
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

test('what goes between manager and worker holds no document, no key, no secret and no name in clear', async () => {
  await using cluster = await Cluster.open();
  const { shop } = cluster;
  await shop.store(
    'source',
    Array.from({ length: ITEMS }, (_, n) => docOf(n)),
  );
  await using wire = await Wire.to(Number(new URL(cluster.url).port));
  const manager = cluster.manager([['source', 'target']], { numChunks: 4 });
  const worker = cluster.worker({ url: wire.url.href });
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
    ...{ folder: text(shop.folder), collection: text('"target"'), worker: text(name) },
  };
  const heard = wire.heard();
  expect(found(heard, wanted)).toEqual([]);
  console.log(`0 of ${Object.keys(wanted).length} found in ${heard.length} bytes`);
  // Of this run, and whole: who connects names the key in clear.
  expect(heard.includes('maggma')).toBe(true);
  expect(heard.length).toBeGreaterThan(5000);

  const plain = await inClear(Object.values(wanted).map((bytes, n) => spellings(bytes)[n % 5]));
  expect(found(plain, wanted)).toEqual(Object.keys(wanted));
}, 120_000);

/** What such a wire hears of these when nobody seals them. */
async function inClear(parts: readonly (Buffer | undefined)[]): Promise<Buffer> {
  const server = createServer((socket) => socket.resume().on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await using wire = await Wire.to((server.address() as AddressInfo).port);
    const socket = connect(Number(wire.url.port), '127.0.0.1');
    const bytes = Buffer.concat(parts.filter((part) => part !== undefined));
    socket.on('error', () => undefined).end(bytes);
    await until('all was heard', 10_000, () => wire.heard().length === bytes.length);
    return wire.heard();
  } finally {
    server.close();
  }
}
