import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SealError } from '../../../../src/errors/distributed-errors.js';
import type { ChunkResult } from '../../../../src/processor/distributed/engine.js';
import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import { HEADER, Sealer } from '../../../../src/processor/distributed/seal.js';
import { describeRedis } from '../../../describe-redis.js';
import { RedisServer } from '../../../redis-server.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, serve, until } from '../engine-cluster.js';
import { Wire } from '../tcp/places.js';

const LEASE_MS = 15_000;
const CANARY = 'canary';

describeRedis('what a Redis gets to know', () => {
  test('no chunk, result, error, note or log line is on the wire or on the disk in clear', async () => {
    await using server = await RedisServer.start();
    await using wire = await Wire.to(server.port);
    const url = new URL(server.url);
    url.port = wire.url.port;
    await using all = new Cluster(redisEngine, url, LEASE_MS);
    const manager = await all.manager();
    const { run } = await manager.begin(RUN);
    const sealer = new Sealer(all.secret);
    const header = sealer.seal(`${CANARY} header`, { run, stage: 0, index: HEADER });
    const plan = [0, 1].map((index) => sealer.seal(`${CANARY} chunk`, { run, stage: 0, index }));
    await manager.submit(0, { header, chunks: plan }, { ...POLICY, attempts: 2 });
    const worker = await all.worker();
    const error = { name: 'TestError', message: `${CANARY} message`, stack: `${CANARY} stack` };
    const failure = {
      key: `${CANARY} key`,
      cause: 'error',
      attempts: 1,
      durationMs: 0,
      error,
    } as const;
    const result: ChunkResult = { ...DONE, failures: [failure] };
    await until('the worker has joined', () => all.events.length > 0);
    worker.log({ logger: 'Some', level: 'warning', message: `${CANARY} line` });
    void serve(worker, (lease) => (lease.id.index === 0 ? lease.ack(result) : lease.nack(error)));
    const outcome = await manager.settle(0);
    expect(outcome).toMatchObject({ result, dead: [{ index: 1, attempts: 2, error }] });
    expect(JSON.stringify(all.events)).toContain(`${CANARY} line`);
    await manager.finish(0, `${CANARY} note`);
    const heard = wire.heard().toString('latin1');
    const written = server.written().toString('latin1');
    for (const text of [heard, written]) {
      // It is what we think it is.
      expect(text).toContain(plan[1]);
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 6));
      expect(text).not.toContain(all.secret.toString('latin1'));
      expect(text).not.toContain(all.secret.toString('hex'));
    }
  });

  test('a result that none of our workers wrote is not believed', async () => {
    await using server = await RedisServer.start();
    await using all = new Cluster(redisEngine, server.url, LEASE_MS);
    const manager = await all.manager();
    const { run } = await manager.begin(RUN);
    await manager.submit(0, { header: 'h', chunks: chunks(2) }, POLICY);
    const worker = await all.worker();
    const [first, second] = [await next(worker), await next(worker)];
    await first.ack(DONE);
    await second.ack(DONE);
    // Replays the result of one chunk as that of another.
    await server.ask(async (redis) => {
      const [from = ''] = await redis.keys(`*:${run}:0-0`);
      const forged = await redis.hget(from, 'returnvalue');
      await redis.hset(from.replace(/0$/, '1'), 'returnvalue', forged ?? '');
    });
    await expect(manager.settle(0)).rejects.toThrow(SealError);
  });

  test('events of strangers are not heard', async () => {
    await using server = await RedisServer.start();
    await using all = new Cluster(redisEngine, server.url, LEASE_MS);
    const manager = await all.manager();
    await manager.begin(RUN);
    await server.ask(async (redis) => {
      const [told = ''] = await redis.keys('*:told');
      await redis.xadd(told, '*', 'event', JSON.stringify({ type: 'WORKER_LOST' }));
      await redis.xadd(told, '*', 'something', 'else');
    });
    await all.worker();
    await until('the worker has joined', () => all.events.length > 0);
    expect(all.events.map(({ type }) => type)).toEqual(['WORKER_JOINED']);
  });

  test('nothing is left of a run that has ended, but that it has', async () => {
    await using server = await RedisServer.start();
    await using all = new Cluster(redisEngine, server.url, LEASE_MS);
    const manager = await all.manager();
    await manager.begin(RUN);
    const working = serve(await all.worker(2), (lease) =>
      lease.nack({ name: 'TestError', message: 'broke' }, { fatal: lease.id.index === 0 }),
    );
    await manager.submit(0, { header: 'h', chunks: chunks(3) }, POLICY);
    await manager.settle(0);
    await manager.finish(0, 'note');
    // A second stage, which is not waited for.
    await manager.submit(1, { header: 'h', chunks: chunks(3) }, { ...POLICY, backoffMs: 60_000 });
    await until('a chunk of it failed', () =>
      all.events.some(({ type }) => type === 'CHUNK_RETRY'),
    );
    await manager.end();
    await working;
    await manager[Symbol.asyncDispose]();
    await server.ask(async (redis) => {
      const keys = (await redis.keys('*')).filter((key) => !key.endsWith(':stalled-check'));
      expect(keys).toEqual([expect.stringMatching(/:current$/)]);
      expect(await redis.ttl(keys[0] ?? '')).toBeGreaterThan(0);
    });
  });
});

describeRedis('TLS', () => {
  test('a certificate that nobody vouches for is refused; with its authority all is well', async () => {
    await using plain = await RedisServer.start();
    const { folder } = plain;
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    await using server = await RedisServer.startTls(key, cert);
    await using all = new Cluster(redisEngine, server.url, LEASE_MS);
    await expect(all.manager()).rejects.toThrow(/self-signed certificate/);
    const trusting = { NODE_EXTRA_CA_CERTS: cert };
    const manager = all.managerProcess([chunks(2)], POLICY, trusting);
    const worker = all.workerProcess(1, trusting);
    const { outcome } = await manager.report('settled');
    expect(outcome).toMatchObject({ completed: 2 });
    await worker.report('finished');
  });
});
