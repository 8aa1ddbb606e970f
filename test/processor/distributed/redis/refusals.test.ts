import { expect, test } from 'vitest';
import { BrokerError } from '../../../../src/errors/distributed-errors.js';
import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import type { Logger } from '../../../../src/util/logger.js';
import { describeRedis } from '../../../describe-redis.js';
import { RedisServer } from '../../../redis-server.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, serve, until } from '../engine-cluster.js';

const LEASE_MS = 15_000;
const SHORT_LEASE_MS = 2000;
const FULL = /refuses to write, because its memory is full: raise `maxmemory`/;
const PLAN = { header: 'h', chunks: chunks(3) };

const cluster = ({ url }: RedisServer, leaseMs = LEASE_MS) =>
  new Cluster(redisEngine, url, leaseMs);

const configure = (server: RedisServer, name: string, value: string | number) =>
  server.ask((redis) => redis.config('SET', name, value));

/** A logger that keeps what it is told at these levels. */
function remembering() {
  const lines: string[] = [];
  const keep = (message: string) => void lines.push(message);
  const logger: Logger = { debug() {}, info: keep, warn: keep, error: keep };
  return { lines, logger };
}

const about = (lines: readonly string[], what: RegExp) => lines.filter((line) => what.test(line));

describeRedis('a Redis that refuses to write', () => {
  test('because its memory is full, for longer than a lease: nothing is lost, or done twice', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server, SHORT_LEASE_MS);
    const { lines, logger } = remembering();
    const manager = all.managerProcess([chunks(8, { ms: 200 }), chunks(2)]);
    await manager.report('submitted');
    const other = all.workerProcess(2);
    const worker = await all.worker(2, { logger });
    const lease = await next(worker);
    await until('some chunks are done', () => other.all('acknowledged').length >= 2);

    await configure(server, 'maxmemory', 1);
    const filledAt = performance.now();
    const waiting = next(worker);
    await until(
      'three leases have passed',
      () => performance.now() - filledAt > 3 * SHORT_LEASE_MS,
    );
    // Nobody gets a chunk meanwhile; whoever has one keeps it, and can say that it is done.
    expect(manager.all('settled')).toEqual([]);
    expect(await lease.held()).toBe(true);
    await lease.ack(DONE);
    expect(about(lines, FULL)).toHaveLength(1);
    expect(about(lines, /ReplyError|OOM/)).toEqual([]);

    await configure(server, 'maxmemory', 0);
    await (await waiting).ack(DONE);
    void serve(worker);
    const { outcome } = await manager.report('settled');
    expect(outcome).toMatchObject({ completed: 8, dead: [], result: { processed: 8 } });
    await manager.report('ended');
    await other.report('finished');
    expect(other.all('lost').length + other.all('not held').length).toBe(0);
    expect(about(lines, FULL)).toHaveLength(1);
    expect(about(lines, /writes again/)).toHaveLength(1);
  });

  test('workers are there for the manager also while the memory is full', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server, SHORT_LEASE_MS);
    const manager = await all.manager();
    await manager.begin(RUN);
    await all.worker(3);
    await configure(server, 'maxmemory', 1);
    const filledAt = performance.now();
    await until('two leases have passed', () => performance.now() - filledAt > 2 * SHORT_LEASE_MS);
    expect(await manager.workers()).toEqual({ count: 1, slots: 3 });
  });

  test('for another reason: what is said of a chunk is said again until it is written', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const { lines, logger } = remembering();
    const manager = await all.manager();
    await manager.begin(RUN);
    await manager.submit(0, PLAN, POLICY);
    const worker = await all.worker(3, { logger });
    const [done, bad, back] = [await next(worker), await next(worker), await next(worker)];

    await configure(server, 'min-replicas-to-write', 1);
    const error = { name: 'RangeError', message: 'bad' };
    const said = Promise.all([done.ack(DONE), bad.nack(error, { fatal: true }), back.release()]);
    await until('it was refused', () => about(lines, /because its replicas are gone/).length > 0);
    await configure(server, 'min-replicas-to-write', 0);
    await said;
    await (await next(worker)).ack(DONE);
    const { completed, dead } = await manager.settle(0);
    expect({ completed, dead: dead.length }).toEqual({ completed: 2, dead: 1 });
    expect(about(lines, /because its replicas are gone/)).toHaveLength(1);
  });

  test('tells its manager what to do, and the next one goes on', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const first = await all.manager();
    await first.begin(RUN);
    await configure(server, 'maxmemory', 1);
    const refused = first.submit(0, PLAN, POLICY);
    await expect(refused).rejects.toThrow(BrokerError);
    await expect(refused).rejects.toThrow(FULL);
    await expect(refused).rejects.toThrow(/start the manager again: it goes on with the run$/);
    await expect(first.end()).rejects.toThrow(FULL);
    await first[Symbol.asyncDispose]();
    await expect((await all.manager()).begin({ ...RUN, digest: 'another' })).rejects.toThrow(FULL);

    await configure(server, 'maxmemory', 0);
    const second = await all.manager();
    expect(await second.begin(RUN)).toMatchObject({ stage: 0, planned: false });
    await second.submit(0, PLAN, POLICY);
    void serve(await all.worker());
    expect(await second.settle(0)).toMatchObject({ completed: 3 });
  });

  test('is waited for with the end of a stage: what was built is recorded', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const { lines, logger } = remembering();
    const manager = await all.manager({ logger });
    await manager.begin(RUN);
    await manager.submit(0, PLAN, POLICY);
    void serve(await all.worker());
    await manager.settle(0);
    await configure(server, 'maxmemory', 1);
    const finishing = manager.finish(0, 'a note');
    await until('it was refused', () => about(lines, FULL).length > 0);
    await configure(server, 'maxmemory', 0);
    await finishing;
    await manager[Symbol.asyncDispose]();
    const again = await (await all.manager()).begin(RUN);
    expect(again).toMatchObject({ stage: 1, planned: false, notes: ['a note'] });
  });
});
