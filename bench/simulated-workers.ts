// Workers that have nothing to do but say that they are done. As the main module of a process of its own it makes those
// that it is sent word of.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'bullmq';
import { NO_RESULT } from '../src/processor/distributed/chunk-result.js';
import type { WorkerSession } from '../src/processor/distributed/engine.js';
import { engineOf } from '../src/processor/distributed/engines.js';
import { createLogger } from '../src/util/logger.js';
import type { Defer } from './workload.js';

export const LEASE_MS = 15_000;
/** The queue of those that use BullMQ alone. */
export const BARE = { name: 'bare', prefix: '{bench}' };
const SELF = fileURLToPath(import.meta.url);

export interface Crew {
  /** Ours, or those of BullMQ alone. */
  readonly kind: 'ours' | 'bare';
  readonly url: string;
  /** As hexadecimal digits. */
  readonly secret: string;
  readonly count: number;
}

/** Connects workers of this process, and sets them to work. */
export async function startWorkers(crew: Crew, defer: Defer): Promise<void> {
  if (crew.kind === 'ours') await startOurs(crew, defer);
  else await startBare(crew, defer);
}

/** The same in another process, whose memory is not counted here. */
export async function startWorkersApart(crew: Crew, defer: Defer): Promise<void> {
  const child = fork(SELF, [], { execArgv: ['--import', 'tsx'] });
  defer(async () => child.kill('SIGKILL'));
  child.send(crew);
  await once(child, 'message');
}

async function startOurs({ url: href, secret, count }: Crew, defer: Defer): Promise<void> {
  const url = new URL(href);
  const engine = await engineOf(url);
  const shared = { url, secret: Buffer.from(secret, 'hex'), leaseMs: LEASE_MS, slots: 1 };
  const workers: WorkerSession[] = [];
  defer(() => Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]())));
  for (let n = 0; n < count; n++) {
    const identity = { worker: `worker ${n}`, version: '', logger: createLogger('bench') };
    workers.push(await engine.worker({ ...shared, ...identity }));
  }
  for (const worker of workers) void serve(worker);
}

async function serve(worker: WorkerSession): Promise<void> {
  for (;;) {
    const lease = await worker.receive();
    if (lease === undefined || lease === 'run-finished') return;
    await lease.ack(NO_RESULT);
  }
}

async function startBare({ url, count }: Crew, defer: Defer): Promise<void> {
  const { name, prefix } = BARE;
  const workers = Array.from(
    { length: count },
    () => new Worker(name, async () => NO_RESULT, { connection: { url }, prefix }),
  );
  defer(() => Promise.all(workers.map((worker) => worker.close(true))));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
}

if (process.argv[1] === SELF) {
  process.on('disconnect', () => process.exit());
  process.once('message', async (crew: Crew) => {
    await startWorkers(crew, () => undefined);
    process.send?.('ready');
  });
}
