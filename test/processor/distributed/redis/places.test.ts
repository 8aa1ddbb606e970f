import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { BrokerError, DistributedAddressError } from '../../../../src/errors/distributed-errors.js';
import { InvalidOptionError } from '../../../../src/errors/option-errors.js';
import { assertFit } from '../../../../src/processor/distributed/redis/broker.js';
import { placeOf } from '../../../../src/processor/distributed/redis/place.js';
import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import { describeRedis } from '../../../describe-redis.js';
import { freePort } from '../../../free-port.js';
import { RedisServer } from '../../../redis-server.js';
import { Cluster, chunks, DONE, next, POLICY, RUN } from '../engine-cluster.js';

const LEASE_MS = 15_000;
const SECRET = Buffer.alloc(32, 1);
const place = (url: string, secret = SECRET) => placeOf(new URL(url), secret);
const cluster = (url: URL) => new Cluster(redisEngine, url, LEASE_MS);

test('a place is a Redis, a secret, and a queue; its address has no secrets', () => {
  const { url, address, prefix } = place(
    'rediss://user:hunter2@redis.example:6380/2?queue=nightly',
  );
  expect(url).toBe('rediss://user:hunter2@redis.example:6380/2');
  expect(address).toBe('rediss://redis.example:6380/2?queue=nightly');
  expect(prefix).toMatch(/^\{maggma:[0-9a-f]{16}:nightly\}$/);
  expect(place('redis://localhost').prefix).toMatch(/^\{maggma:[0-9a-f]{16}\}$/);
  const other = place('redis://localhost', Buffer.alloc(32, 2));
  expect(other.prefix).not.toBe(place('redis://localhost').prefix);
});

test.each(['?volatile', '?queue=a%3Ab', '?queue=', '?queue=a&family=6'])(
  'the parameters %s are refused, and the password is not shown',
  (parameters) => {
    const bad = () => place(`redis://:hunter2@localhost${parameters}`);
    expect(bad).toThrow(InvalidOptionError);
    expect(bad).toThrow(/no parameters but queue/);
    expect(bad).not.toThrow(/hunter2/);
  },
);

test.each([
  ['6.0.16', 'noeviction', /has version 6\.0\.16, expected 6\.2 at least/],
  ['5.4.0', 'noeviction', /has version 5\.4\.0, expected 6\.2 at least/],
  ['6.2.0', 'noeviction', undefined],
  ['7.0.15', 'allkeys-lru', /maxmemory-policy noeviction/],
])('version %s with the policy %s', async (version, policy, problem) => {
  // Old versions cannot be had: what they would say is all that is read.
  const info = `# Server\r\nredis_version:${version}\r\nmaxmemory_policy:${policy}\r\naof_enabled:1\r\n`;
  const client = { info: async () => info } as unknown as Parameters<typeof assertFit>[0];
  const judged = assertFit(client, place('redis://localhost'));
  if (problem === undefined) await judged;
  else await expect(judged).rejects.toThrow(problem);
});

describeRedis('places that cannot be used', () => {
  test('a Redis without AOF is refused by managers, unless that is allowed', async () => {
    await using server = await RedisServer.start('--appendonly', 'no');
    await using all = cluster(server.url);
    const refused = all.manager();
    await expect(refused).rejects.toThrow(BrokerError);
    await expect(refused).rejects.toThrow(/no AOF: set `appendonly yes`, or add `\?allowVolatile`/);
    const manager = await all.manager({ url: new URL('?allowVolatile', server.url) });
    expect(manager.address).toBe(`${server.url.href}?allowVolatile`);
  });

  test('a Redis that evicts keys is refused', async () => {
    await using server = await RedisServer.start('--maxmemory-policy', 'allkeys-lru');
    await using all = cluster(server.url);
    await expect(all.manager()).rejects.toThrow(
      /forgets chunks .* \(maxmemory-policy allkeys-lru\): set `maxmemory-policy noeviction`/,
    );
  });

  test('a wrong password is refused at once, and not shown', async () => {
    await using server = await RedisServer.start('--requirepass', 'the right one');
    await using all = cluster(server.url);
    for (const password of ['', 'hunter2']) {
      const url = new URL(server.url);
      url.password = password;
      for (const open of [() => all.manager({ url }), () => all.worker(1, { url })]) {
        const error = await open().catch((error: unknown) => error);
        expect(error).toBeInstanceOf(BrokerError);
        expect(String(error)).toMatch(/wants another user or password: put them into the URL/);
        expect(JSON.stringify([error, (error as Error).stack, (error as Error).cause])).not.toMatch(
          /hunter2/,
        );
      }
    }
    const url = new URL(server.url);
    url.password = 'the right one';
    const manager = await all.manager({ url });
    expect(manager.address).not.toContain('right');
    await manager.begin(RUN);
    await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
    await (await next(await all.worker(1, { url }))).ack(DONE);
    expect(await manager.settle(0)).toMatchObject({ completed: 1 });
  });

  test('nobody there, and no such host, are named', async () => {
    const nobody = new URL(`redis://127.0.0.1:${await freePort()}`);
    await using all = cluster(nobody);
    await expect(all.manager()).rejects.toThrow(DistributedAddressError);
    await expect(all.manager()).rejects.toThrow(`Cannot connect to ${nobody.href}`);
    const nowhere = new URL('rediss://host.invalid:6379');
    await expect(all.manager({ url: nowhere })).rejects.toThrow(/no host of the name/);
    await expect(all.worker(1, { url: nowhere })).rejects.toThrow(/host\.invalid/);
  });

  test('what is no Redis is not waited for', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await using all = cluster(new URL(`redis://127.0.0.1:${port}`));
    await expect(all.manager()).rejects.toThrow(/no Redis answered within 5 s/);
    silent.close();
  });

  test('a worker may come before the run, and before the Redis', async () => {
    await using server = await RedisServer.start();
    await server.kill();
    await using all = cluster(server.url);
    const waiting = next(await all.worker());
    await server.start();
    const manager = await all.manager();
    await manager.begin(RUN);
    await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
    await (await waiting).ack(DONE);
    expect(await manager.settle(0)).toMatchObject({ completed: 1 });
  });
});
