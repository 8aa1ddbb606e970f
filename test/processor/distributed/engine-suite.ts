import { describe, expect, test } from 'vitest';
import type { DistributedEngine, Lease } from '../../../src/processor/distributed/engine.js';
import { Cluster, chunks, DONE, next, POLICY, RUN, serve, until } from './engine-cluster.js';
import { Wire } from './tcp/places.js';

/** An engine, and a place for manager and workers to meet that nobody else uses; its port is known. */
export interface EngineHarness {
  readonly engine: DistributedEngine;
  readonly url: URL;
  /** What it promises: so long after its worker was killed a chunk starts elsewhere. */
  readonly recoveryMs: number;
  /** The lease for that test; the usual one if it is not given. */
  readonly recoveryLeaseMs?: number;
}

const LEASE_MS = 15_000;
/** For tests that wait until a lease is over. */
const SHORT_LEASE_MS = 2000;
const ERROR = { name: 'TestError', message: 'broke' };

/** What holds for every engine, with processes that really die. */
export function describeEngine(name: string, makeEngine: () => Promise<EngineHarness>): void {
  async function cluster(leaseMs = LEASE_MS): Promise<Cluster> {
    const { engine, url } = await makeEngine();
    return new Cluster(engine, url, leaseMs);
  }

  describe(`engine: ${name}`, () => {
    test('hands each chunk of a stage out once, as it was submitted, and adds the results up', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      const { run, stage, planned } = await manager.begin(RUN);
      expect({ stage, planned }).toEqual({ stage: 0, planned: false });
      const workers = [await all.worker(2), await all.worker(1)];
      const leases: Lease[] = [];
      const serving = workers.flatMap((worker) =>
        [0, 1].map(() =>
          serve(worker, async (lease) => {
            leases.push(lease);
            expect(await lease.held()).toBe(true);
            await lease.ack({ ...DONE, warnings: lease.id.index });
          }),
        ),
      );
      const plan = { header: 'the header', chunks: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] };
      await manager.submit(0, plan, POLICY);
      const { completed, dead, result } = await manager.settle(0);
      expect({ completed, dead }).toEqual({ completed: 7, dead: [] });
      expect(result).toMatchObject({ processed: 7, succeeded: 7, warnings: 21 });
      const got = leases.toSorted((a, b) => a.id.index - b.id.index);
      expect(got.map((lease) => lease.payload)).toEqual(plan.chunks);
      for (const [index, lease] of got.entries()) {
        expect(lease.id).toEqual({ run, stage: 0, index });
        expect(lease).toMatchObject({ header: 'the header', attempt: 1 });
        expect(lease.lost.aborted).toBe(false);
      }
      await manager.finish(0, '');
      await manager.end();
      expect((await Promise.all(serving)).reduce((sum, n) => sum + n)).toBe(7);
    });

    test('settles a stage without chunks at once', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      await manager.submit(0, { header: 'h', chunks: [] }, POLICY);
      expect(await manager.settle(0)).toMatchObject({ completed: 0, dead: [] });
    });

    test('keeps workers for all stages, takes in late ones, and sends them home at the end', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      const early = serve(await all.worker());
      await manager.submit(0, { header: 'h', chunks: chunks(2) }, POLICY);
      await manager.settle(0);
      await manager.finish(0, 'first');
      const lateWorker = await all.worker();
      await until('both workers are there', () => joined(all) === 2);
      expect(await manager.workers()).toEqual({ count: 2, slots: 2 });
      // The early one waits, too: each gets one of two at the same time.
      const late = next(lateWorker);
      await manager.submit(1, { header: 'second', chunks: chunks(2) }, POLICY);
      const lease = await late;
      expect(lease).toMatchObject({ header: 'second', id: { stage: 1 } });
      await lease.ack(DONE);
      expect(await manager.settle(1)).toMatchObject({ completed: 2 });
      await manager.finish(1, 'second');
      const waiting = lateWorker.receive();
      await manager.end();
      expect(await waiting).toBe('run-finished');
      expect(await lateWorker.receive()).toBe('run-finished');
      expect(await early).toBe(3);
    });

    test('tries a failing chunk again, buries it with its last error, and revives it', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      let isMended = false;
      const attempts: number[] = [];
      void serve(await all.worker(), async (lease) => {
        if (lease.id.index !== 1 || isMended) return lease.ack(DONE);
        attempts.push(lease.attempt);
        return lease.nack({ ...ERROR, message: `broke ${lease.attempt}` });
      });
      await manager.submit(0, { header: 'h', chunks: chunks(3) }, POLICY);
      const outcome = await manager.settle(0);
      expect(attempts).toEqual([1, 2, 3]);
      expect(outcome).toMatchObject({
        completed: 2,
        dead: [{ index: 1, attempts: 3, losses: 0, error: { ...ERROR, message: 'broke 3' } }],
      });
      isMended = true;
      expect(await manager.revive(0)).toBe(1);
      expect(await manager.settle(0)).toMatchObject({
        completed: 3,
        dead: [],
        result: { processed: 3 },
      });
      expect(await manager.revive(0)).toBe(0);
    });

    test('does not try again what is fatal', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      void serve(await all.worker(), (lease) => lease.nack(ERROR, { fatal: true }));
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const { dead } = await manager.settle(0);
      expect(dead).toMatchObject([{ index: 0, attempts: 1, error: ERROR }]);
    });

    test('counts nothing against a chunk that is handed back, or whose worker leaves', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      const strict = { attempts: 1, losses: 1, backoffMs: 50 };
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, strict);
      const leaving = await all.worker();
      const first = await next(leaving);
      await first.release();
      const second = await next(leaving);
      expect(second.attempt).toBe(1);
      await leaving[Symbol.asyncDispose]();
      expect(second.lost.aborted).toBe(true);
      expect(await second.held()).toBe(false);
      const third = await next(await all.worker());
      await third.ack(DONE);
      expect(await manager.settle(0)).toMatchObject({ completed: 1, dead: [] });
    });

    test('gives nothing to a worker that has stopped waiting', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      const impatient = await all.worker();
      const stop = new AbortController();
      const waiting = impatient.receive(stop.signal);
      await until('it is there', () => joined(all) === 1);
      stop.abort();
      expect(await waiting).toBe(undefined);
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const lease = await next(await all.worker());
      await lease.ack(DONE);
      expect(await manager.settle(0)).toMatchObject({ completed: 1, dead: [] });
    });

    test('ends waiting for a stage when the signal fires', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const stop = new AbortController();
      const settling = manager.settle(0, stop.signal);
      stop.abort(new RangeError('enough'));
      await expect(settling).rejects.toThrow('enough');
    });

    test('does not wait for a stage any more when it is closed', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const settling = expect(manager.settle(0)).rejects.toThrow(/closed/);
      await manager[Symbol.asyncDispose]();
      await settling;
    });

    test('tells the manager how chunks and workers are doing', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await manager.begin(RUN);
      const worker = await all.worker();
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const lease = await next(worker);
      const counts = { fetched: 3, processed: 2, written: 1, total: null };
      const progress = { ...counts, failed: 0, failures: [] };
      lease.progress(progress);
      lease.updating(7);
      worker.log({ logger: 'Some', level: 'warning', message: 'hot' });
      await lease.ack(DONE);
      await manager.settle(0);
      await worker[Symbol.asyncDispose]();
      const chunk = { stage: 0, index: 0 };
      const name = 'worker 1';
      await until('the worker has left', () => all.events.at(-1)?.type === 'WORKER_LEFT');
      expect(all.events).toEqual([
        { type: 'WORKER_JOINED', worker: name, slots: 1, version: 'version 1' },
        { type: 'CHUNK_LEASED', ...chunk, worker: name, attempt: 1 },
        { type: 'CHUNK_PROGRESS', ...chunk, progress },
        { type: 'CHUNK_UPDATE', ...chunk, items: 7 },
        { type: 'WORKER_LOG', worker: name, logger: 'Some', level: 'warning', message: 'hot' },
        { type: 'CHUNK_DONE', ...chunk, result: DONE },
        { type: 'WORKER_LEFT', worker: name, slots: 1 },
      ]);
    });

    test('starts the chunk of a killed worker elsewhere, in time', async () => {
      const { engine, url, recoveryMs, recoveryLeaseMs = LEASE_MS } = await makeEngine();
      await using all = new Cluster(engine, url, recoveryLeaseMs);
      const manager = await all.manager();
      await manager.begin(RUN);
      const victim = all.workerProcess();
      await victim.report('connected');
      await manager.submit(0, { header: 'h', chunks: chunks(1, { ms: 60_000 }) }, POLICY);
      await victim.report('started');
      const other = await all.worker();
      const rescue = next(other);
      await until('the other worker waits', () => joined(all) === 2);
      await victim.kill();
      const killed = performance.now();
      const lease = await rescue;
      const took = Math.round(performance.now() - killed);
      console.log(`${name}: the chunk of a killed worker started elsewhere after ${took} ms`);
      expect(took).toBeLessThan(recoveryMs);
      expect(lease.attempt).toBe(2);
      await lease.ack(DONE);
      expect(await manager.settle(0)).toMatchObject({ completed: 1, dead: [] });
      const types = all.events.map(({ type }) => type);
      expect(types).toContain('CHUNK_LOST');
      expect(types).toContain('WORKER_LOST');
    });

    test('buries a chunk that costs too many workers, and does the others', async () => {
      await using all = await cluster(SHORT_LEASE_MS);
      const manager = await all.manager();
      await manager.begin(RUN);
      const workers = [0, 1].map(() => all.workerProcess());
      const plan = [...chunks(1, { kills: true }), ...chunks(3)];
      await manager.submit(0, { header: 'h', chunks: plan }, { ...POLICY, losses: 2 });
      const settling = manager.settle(0);
      await Promise.all(workers.map((worker) => until('it dies', () => isDead(worker))));
      all.workerProcess();
      const { completed, dead } = await settling;
      expect(completed).toBe(3);
      expect(dead).toMatchObject([
        { index: 0, attempts: 0, losses: 2, error: { code: 'WORKER_LOST' } },
      ]);
    });

    test('lets a worker that was stopped for too long know that its chunk is another one’s', async () => {
      await using all = await cluster(SHORT_LEASE_MS);
      const manager = await all.manager();
      await manager.begin(RUN);
      const sleeper = all.workerProcess();
      await sleeper.report('connected');
      await manager.submit(0, { header: 'h', chunks: chunks(1, { ms: 500 }) }, POLICY);
      await sleeper.report('started');
      await sleeper.kill('SIGSTOP');
      const lease = await next(await all.worker());
      expect(await lease.held()).toBe(true);
      await sleeper.kill('SIGCONT');
      await sleeper.report('lost');
      await lease.ack(DONE);
      expect(await manager.settle(0)).toMatchObject({ completed: 1, result: { processed: 1 } });
      expect(sleeper.all('written')).toEqual([]);
      await manager.finish(0, '');
      await manager.end();
      await sleeper.report('finished');
    });

    test('keeps a lease whose connection is cut, again and again', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      await using wire = await Wire.to(Number(all.url.port));
      await manager.begin(RUN);
      const worker = await all.worker(1, { url: over(wire, all.url) });
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const lease = await next(worker);
      for (let cut = 0; cut < 3; cut++) {
        const { joined } = wire;
        wire.cut();
        await until('it has connected again', () => wire.joined > joined);
        expect(await lease.held()).toBe(true);
      }
      wire.cut();
      await lease.ack(DONE);
      expect(lease.lost.aborted).toBe(false);
      expect(await manager.settle(0)).toMatchObject({ completed: 1 });
      expect(all.events.map(({ type }) => type)).not.toContain('CHUNK_LOST');
    });

    test('gives the chunk of a worker that is cut off to another one, and tells it when it is back', async () => {
      await using all = await cluster(SHORT_LEASE_MS);
      const manager = await all.manager();
      await using wire = await Wire.to(Number(all.url.port));
      await manager.begin(RUN);
      const far = await all.worker(1, { url: over(wire, all.url) });
      await manager.submit(0, { header: 'h', chunks: chunks(1) }, POLICY);
      const stale = await next(far);
      wire.block();
      const lease = await next(await all.worker());
      const asking = stale.held();
      expect(await lease.held()).toBe(true);
      wire.unblock();
      expect(await asking).toBe(false);
      expect(stale.lost.aborted).toBe(true);
      await lease.ack(DONE);
      // Whoever was too late is heard, and counts for nothing.
      await stale.ack(DONE);
      const { completed, result } = await manager.settle(0);
      expect({ completed, processed: result.processed }).toEqual({ completed: 1, processed: 1 });
    });

    test('goes on after its manager was killed, and does nothing twice', async () => {
      await using all = await cluster(SHORT_LEASE_MS);
      const stages = [chunks(3), chunks(8, { ms: 300 })];
      const first = all.managerProcess(stages);
      const workers = [all.workerProcess(2), all.workerProcess(1)];
      const done = () => workers.flatMap((worker) => worker.all('acknowledged'));
      await until('some of the second stage is done', () => done().length > 5);
      await first.kill();
      const second = all.managerProcess(stages);
      const begun = await second.report('begun');
      expect(begun).toMatchObject({ stage: 1, planned: true, notes: ['note 0'] });
      const { outcome } = await second.report('settled');
      expect(outcome).toMatchObject({ completed: 8, dead: [], result: { processed: 8 } });
      for (const worker of workers) await worker.report('finished');
      await second.report('ended');
      const starts = workers.flatMap((worker) => worker.all('started'));
      const names = starts.map(({ stage, index }) => `${stage}/${index}`);
      expect(names).toHaveLength(11);
      expect(new Set(names).size).toBe(11);
      expect(second.all('submitted')).toEqual([]);
    });

    test('forgets a run that has ended', async () => {
      await using all = await cluster();
      const manager = await all.manager();
      const first = await manager.begin(RUN);
      await manager.submit(0, { header: 'h', chunks: [] }, POLICY);
      await manager.settle(0);
      await manager.finish(0, '');
      await manager.end();
      await manager[Symbol.asyncDispose]();
      const again = await (await all.manager()).begin(RUN);
      expect(again).toMatchObject({ stage: 0, planned: false });
      expect(again.run).not.toBe(first.run);
    });
  });
}

/** The way to a place through a wire that can be cut. */
function over(wire: Wire, url: URL): URL {
  const way = new URL(url);
  way.port = wire.url.port;
  return way;
}

const joined = (all: Cluster) => all.events.filter(({ type }) => type === 'WORKER_JOINED').length;

const isDead = ({ child }: { child: { signalCode: string | null } }) =>
  child.signalCode === 'SIGKILL';
