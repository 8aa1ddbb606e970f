import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { AnyBuilder, Store } from 'maggma';
import { DistributedProcessor, DistributedWorker, SerialProcessor, SQLiteStore } from 'maggma';
import { NO_RESULT } from '../src/processor/distributed/chunk-result.js';
import type { WorkerSession } from '../src/processor/distributed/engine.js';
import { makeSecretFile } from '../src/processor/distributed/secret-file.js';
import { tcpEngine } from '../src/processor/distributed/tcp/tcp-engine.js';
import { createLogger } from '../src/util/logger.js';
import type { Defer, Variant, Workload } from './workload.js';

const WORKERS = 4;
const LEASE_MS = 15_000;

/** A server for the time of the measurement; gives its port. */
async function listening(server: ReturnType<typeof createServer>, defer: Defer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(async () => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server, () => undefined);
  server.close();
  await once(server, 'close');
  return port;
}

type Sleeps = new (source: Store, target: Store, options: { ms: number }) => AnyBuilder;

/** Chunks that take so long. */
async function sleeps(ms: number, folder: string): Promise<AnyBuilder> {
  const file = new URL('./sleep-builder.mjs', import.meta.url).href;
  const { SleepBuilder } = (await import(file)) as { SleepBuilder: Sleeps };
  const store = (name: string) => new SQLiteStore(path.join(folder, 'bench.db'), name);
  return new SleepBuilder(store('source'), store('target'), { ms });
}

/** A manager here, and workers here, each with a process for its chunks. */
const distributed =
  (ms: number): Variant =>
  async (numChunks, folder) => {
    const url = `tcp://127.0.0.1:${await freePort()}`;
    const secretFile = path.join(folder, 'secret');
    makeSecretFile(secretFile);
    const shared = { url, secretFile };
    const builder = await sleeps(ms, folder);
    return async () => {
      const manager = new DistributedProcessor({ ...shared, stateFolder: folder, numChunks });
      const running = manager.run(builder);
      const workers = Array.from({ length: WORKERS }, () => new DistributedWorker(shared).run());
      const { processed } = await running;
      if (processed !== numChunks) throw new RangeError(`${processed} of ${numChunks} chunks`);
      await Promise.all(workers);
    };
  };

/** The same chunks one after the other, without anybody to hand them out. */
const oneByOne =
  (ms: number): Variant =>
  async (numChunks, folder) => {
    const builder = await sleeps(ms, folder);
    return async () => {
      for (let chunk = 0; chunk < numChunks; chunk++) await new SerialProcessor().run(builder);
    };
  };

/** Workers that have nothing to do but say that they are done. */
const drained =
  (count: number): Variant =>
  async (numChunks, folder, defer) => {
    const secret = randomBytes(32);
    const logger = createLogger('bench');
    const url = new URL(`tcp://127.0.0.1:${await freePort()}`);
    const shared = { url, secret, leaseMs: LEASE_MS, logger };
    const manager = await tcpEngine.manager({ ...shared, stateFolder: folder });
    defer(async () => manager[Symbol.asyncDispose]());
    await manager.begin({ name: 'bench', builders: ['A'], digest: 'bench' });
    const workers: WorkerSession[] = [];
    for (let n = 0; n < count; n++)
      workers.push(
        await tcpEngine.worker({ ...shared, worker: `worker ${n}`, slots: 1, version: '' }),
      );
    for (const worker of workers) defer(async () => worker[Symbol.asyncDispose]());
    const sealed = randomBytes(150).toString('base64');
    const plan = { header: sealed, chunks: Array.from({ length: numChunks }, () => sealed) };
    return async () => {
      await manager.submit(0, plan, { attempts: 3, losses: 5, backoffMs: 1000 });
      for (const worker of workers) void serve(worker);
      const { completed } = await manager.settle(0);
      if (completed !== numChunks) throw new RangeError(`${completed} of ${numChunks} chunks`);
      await manager.finish(0, '');
      await manager.end();
    };
  };

async function serve(worker: WorkerSession): Promise<void> {
  for (;;) {
    const lease = await worker.receive();
    if (lease === undefined || lease === 'run-finished') return;
    await lease.ack(NO_RESULT);
  }
}

/** As many lines of as many bytes over as many bare connections, each answered: no lease, no seal, nothing remembered. */
const answered =
  (count: number): Variant =>
  async (numChunks, _folder, defer) => {
    const server = createServer((socket) => {
      const chunk = `${JSON.stringify({ type: 'CHUNK', sealed: 'x'.repeat(200) })}\n`;
      createInterface({ input: socket }).on('line', () => socket.write(chunk));
    });
    const port = await listening(server, defer);
    const done = `${JSON.stringify({ type: 'DONE', result: NO_RESULT })}\n`;
    return async () => {
      let left = numChunks;
      const lane = async () => {
        const socket = connect(port, '127.0.0.1').setNoDelay(true);
        const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
        while (left-- > 0) {
          socket.write(done);
          await lines.next();
        }
        socket.destroy();
      };
      await Promise.all(Array.from({ length: count }, lane));
    };
  };

export const DISTRIBUTED_WORKLOADS: Readonly<Record<string, Workload>> = {
  'tcp-20x1s': {
    title: '20 chunks of 1 s on 4 workers, start of their processes included',
    sizes: [20],
    rounds: 3,
    ours: distributed(1000),
    floor: async (numChunks) => () =>
      new Promise((resolve) => setTimeout(resolve, (numChunks / WORKERS) * 1000)),
    floorName: 'the ideal: 5 s',
    target: 1.15,
    targetExponent: 1,
  },
  'tcp-empty': {
    title: 'empty chunks on 4 workers, start of their processes included',
    sizes: [400, 4000],
    rounds: 3,
    ours: distributed(0),
    floor: oneByOne(0),
    floorName: 'a SerialProcessor for each, one after the other',
    target: 10,
    targetExponent: 1,
  },
  'tcp-dispatch': {
    title: 'chunks planned and drained by 100 simulated workers in one process',
    sizes: [10_000, 100_000],
    rounds: 3,
    ours: drained(100),
    floor: answered(100),
    floorName: 'a line each way over as many bare connections',
    target: 10,
    targetExponent: 1.1,
  },
  'tcp-1000-workers': {
    title: 'the same with 1000 simulated workers',
    sizes: [100_000],
    rounds: 1,
    ours: drained(1000),
    floor: answered(1000),
    floorName: 'a line each way over as many bare connections',
    target: 10,
    targetExponent: 1.1,
  },
};
