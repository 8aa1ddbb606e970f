import { Queue } from 'bullmq';
import { CopyBuilder, DistributedProcessor } from 'maggma';
import { expect, test } from 'vitest';
import { RunLockedError, RunStateError } from '../../../../src/errors/distributed-errors.js';
import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import { describeRedis } from '../../../describe-redis.js';
import { SCALE } from '../../../effort.js';
import { RedisServer } from '../../../redis-server.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, serve, until } from '../engine-cluster.js';
import { Workshop } from '../support.js';

const LEASE_MS = 15_000;
const SHORT_LEASE_MS = 2000;

const cluster = ({ url }: RedisServer, leaseMs = LEASE_MS, parameters = '') =>
  new Cluster(redisEngine, new URL(parameters, url), leaseMs);

describeRedis('what dies around a Redis', () => {
  test('the Redis is killed and started again, at many moments: nothing is run twice', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const total = 20 + Math.ceil(600 * SCALE);
    const manager = all.managerProcess([chunks(total, { ms: 50 }), chunks(2)]);
    const workers = [all.workerProcess(2), all.workerProcess(1)];
    const count = (type: string) => workers.flatMap((worker) => worker.all(type)).length;
    for (let enough = 4; enough < total - 6; enough += 7) {
      await until(`${enough} chunks are done`, () => count('acknowledged') >= enough);
      await server.kill();
      await server.start();
    }
    const { outcome } = await manager.report('settled');
    expect(outcome).toMatchObject({ completed: total, dead: [], result: { processed: total } });
    await manager.report('ended');
    for (const worker of workers) await worker.report('finished');
    expect(count('started')).toBe(total + 2);
    expect(count('lost') + count('not held')).toBe(0);
    expect(manager.all('submitted')).toHaveLength(2);
  }, 300_000);

  test('the Redis forgets everything: it is noticed, and the stage is begun again with the same plan', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const manager = await all.manager();
    const { run } = await manager.begin(RUN);
    await manager.submit(0, { header: 'h', chunks: [] }, POLICY);
    await manager.settle(0);
    await manager.finish(0, 'a note');
    await manager.submit(1, { header: 'h', chunks: chunks(5) }, POLICY);
    const worker = await all.worker();
    await (await next(worker)).ack(DONE);
    const lease = await next(worker);
    const settling = manager.settle(1);
    await server.ask((redis) => redis.flushall());
    await until('the lease is lost', () => lease.lost.aborted);
    expect(await lease.held()).toBe(false);
    await lease.ack(DONE);
    void serve(worker);
    expect(await settling).toMatchObject({ completed: 5, dead: [], result: { processed: 5 } });
    await manager[Symbol.asyncDispose]();
    const again = await (await all.manager()).begin(RUN);
    expect(again).toEqual({ run, stage: 1, planned: true, header: 'h', notes: ['a note'] });
  });

  test('a Redis without AOF, which was allowed, is killed: the stage is begun again', async () => {
    await using server = await RedisServer.start('--appendonly', 'no');
    await using all = cluster(server, LEASE_MS, '?allowVolatile');
    const manager = all.managerProcess([chunks(8, { ms: 300 })]);
    const worker = all.workerProcess(2);
    await until('some chunks are done', () => worker.all('acknowledged').length >= 3);
    await server.kill();
    await server.start();
    const { outcome } = await manager.report('settled');
    expect(outcome).toMatchObject({ completed: 8, dead: [], result: { processed: 8 } });
    await worker.report('finished');
  });

  test('a manager that took over cannot begin a forgotten stage again: the next one plans anew', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const first = await all.manager();
    const { run } = await first.begin(RUN);
    await first.submit(0, { header: 'h', chunks: chunks(3) }, POLICY);
    await first[Symbol.asyncDispose]();
    const second = await all.manager();
    expect(await second.begin(RUN)).toMatchObject({ run, planned: true });
    const settling = second.settle(0);
    settling.catch(() => undefined);
    await server.ask((redis) => redis.flushall());
    await expect(settling).rejects.toThrow(RunStateError);
    await expect(settling).rejects.toThrow(/lost the plan of stage 0.*start this one again/);
    await second[Symbol.asyncDispose]();
    const third = await (await all.manager()).begin(RUN);
    expect(third).toMatchObject({ stage: 0, planned: false });
    expect(third.run).not.toBe(run);
  });

  test('a manager is killed while it makes jobs of its plan: the next one makes the others', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const first = await all.manager();
    const { run } = await first.begin(RUN);
    await first.submit(0, { header: 'h', chunks: chunks(20) }, POLICY);
    await first[Symbol.asyncDispose]();
    await server.ask(async (connection) => {
      const [key = ''] = await connection.keys('*:meta');
      const prefix = key.slice(0, key.indexOf(`:${run}`));
      const queue = new Queue(run, { connection, prefix });
      for (let index = 7; index < 20; index++) await queue.remove(`0-${index}`);
      expect(await queue.getJobCountByTypes('waiting')).toBe(7);
      await queue.close();
    });
    const second = await all.manager();
    expect(await second.begin(RUN)).toMatchObject({ planned: true });
    const served: number[] = [];
    void serve(await all.worker(), (lease) => {
      served.push(lease.id.index);
      return lease.ack(DONE);
    });
    expect(await second.settle(0)).toMatchObject({ completed: 20, result: { processed: 20 } });
    expect(new Set(served).size).toBe(20);
    expect(served).toHaveLength(20);
  });

  test('sessions can be closed when the Redis is gone for good', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const manager = await all.manager();
    await manager.begin(RUN);
    await manager.submit(0, { header: 'h', chunks: chunks(2) }, POLICY);
    const worker = await all.worker(2);
    const lease = await next(worker);
    const settling = manager.settle(0);
    settling.catch(() => undefined);
    const waiting = serve(worker);
    await server.kill();
    const acknowledging = lease.ack(DONE);
    const before = performance.now();
    await worker[Symbol.asyncDispose]();
    await manager[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(8000);
    expect(await waiting).toBeLessThan(2);
    expect(lease.lost.aborted).toBe(true);
    await acknowledging;
    await expect(settling).rejects.toThrow();
  });
});

describeRedis('two managers of one run', () => {
  test('the second stands by, and goes on when the first is killed', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server, SHORT_LEASE_MS);
    const stages = [chunks(10, { ms: 400 })];
    const first = all.managerProcess(stages);
    await first.report('submitted');
    const second = all.managerProcess(stages);
    const worker = all.workerProcess(2);
    await until('some chunks are done', () => worker.all('acknowledged').length >= 4);
    expect(second.reports).toEqual([]);
    await first.kill();
    expect(await second.report('begun')).toMatchObject({ stage: 0, planned: true });
    const { outcome } = await second.report('settled');
    expect(outcome).toMatchObject({ completed: 10, dead: [] });
    await worker.report('finished');
    expect(worker.all('started')).toHaveLength(10);
  });

  test('the second begins its own run when the first has ended', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server, SHORT_LEASE_MS);
    const [first, second] = [await all.manager(), await all.manager()];
    await first.begin(RUN);
    const standingBy = second.begin({ ...RUN, digest: 'another run' });
    await first.end();
    await first[Symbol.asyncDispose]();
    expect(await standingBy).toMatchObject({ stage: 0, planned: false });
  });

  test('the second may be told to stand by no longer', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server);
    const [first, second] = [await all.manager(), await all.manager()];
    await first.begin(RUN);
    const enough = new AbortController();
    const standingBy = second.begin(RUN, enough.signal);
    enough.abort(new RangeError('enough'));
    await expect(standingBy).rejects.toThrow('enough');
    await first.submit(0, { header: 'h', chunks: [] }, POLICY);
    expect(await first.settle(0)).toMatchObject({ completed: 0 });
  });

  test('builds whose turn has not come when they are stopped are cancelled', async () => {
    await using server = await RedisServer.start();
    await using shop = new Workshop();
    const builder = new CopyBuilder(await shop.store('a', [{ k: 1 }]), await shop.store('b'));
    const { secretFile } = shop;
    const manager = new DistributedProcessor({ url: server.url.href, secretFile, numChunks: 1 });
    for (const run of [() => manager.runAll([builder]), async () => [await manager.run(builder)]]) {
      const running = run();
      manager.stop();
      expect(await running).toMatchObject([{ status: 'cancelled', processed: 0 }]);
    }
  });

  test('one that was away for too long is told that it was replaced, and changes nothing', async () => {
    await using server = await RedisServer.start();
    await using all = cluster(server, SHORT_LEASE_MS);
    const [first, second] = [await all.manager(), await all.manager()];
    await first.begin(RUN);
    await first.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
    const settling = first.settle(0);
    const refusal = expect(settling).rejects.toThrow(/process 4711 on elsewhere.*took it over/);
    // As if it had been stopped for a lease.
    const other = JSON.stringify({ pid: 4711, host: 'elsewhere', since: 'today' });
    await server.ask(async (redis) => {
      const [lock = ''] = await redis.keys('*:manager');
      await redis.set(lock, other, 'PX', SHORT_LEASE_MS);
    });
    await refusal;
    await expect(settling).rejects.toThrow(RunLockedError);
    await expect(first.finish(0, '')).rejects.toThrow(RunLockedError);
    expect(await second.begin(RUN)).toMatchObject({ stage: 0, planned: true });
    void serve(await all.worker());
    expect(await second.settle(0)).toMatchObject({ completed: 1 });
  });
});
