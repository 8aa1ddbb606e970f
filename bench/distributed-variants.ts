import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AnyBuilder, Store } from 'maggma';
import { DistributedProcessor, DistributedWorker, SerialProcessor, SQLiteStore } from 'maggma';
import { engineOf } from '../src/processor/distributed/engines.js';
import { makeSecretFile } from '../src/processor/distributed/secret-file.js';
import { createLogger } from '../src/util/logger.js';
import { until } from '../test/processor/distributed/support.js';
import type { MeetingPlace } from './meeting-places.js';
import { LEASE_MS, startWorkers } from './simulated-workers.js';
import type { Defer, Variant } from './workload.js';

export const WORKERS = 4;
const PATIENCE_MS = 120_000;
const POLICY = { attempts: 3, losses: 5, backoffMs: 1000 };
const MRUN = fileURLToPath(new URL('../dist/cli/mrun.js', import.meta.url));
/** Where builders can be found. */
const FOLDER = fileURLToPath(new URL('..', import.meta.url));

interface Sleep {
  readonly ms: number;
  /** Gets a line when a chunk begins. */
  readonly file?: string;
}
type Sleeps = new (source: Store, target: Store, options: Sleep) => AnyBuilder;

async function sleeps(options: Sleep, folder: string): Promise<AnyBuilder> {
  const file = new URL('./sleep-builder.mjs', import.meta.url).href;
  const { SleepBuilder } = (await import(file)) as { SleepBuilder: Sleeps };
  const store = (name: string) => new SQLiteStore(path.join(folder, 'bench.db'), name);
  return new SleepBuilder(store('source'), store('target'), options);
}

/** Where manager and workers meet, with a secret. */
async function shared(place: MeetingPlace, folder: string, defer: Defer) {
  const { href: url } = await place(defer);
  const secretFile = path.join(folder, 'secret');
  makeSecretFile(secretFile);
  return { url, secretFile };
}

/** A manager here, and workers here, each with a process for its chunks. */
export const distributed =
  (place: MeetingPlace, ms: number): Variant =>
  async (numChunks, folder, defer) => {
    const both = await shared(place, folder, defer);
    const builder = await sleeps({ ms }, folder);
    return async () => {
      const manager = new DistributedProcessor({ ...both, stateFolder: folder, numChunks });
      const running = manager.run(builder);
      const workers = Array.from({ length: WORKERS }, () => new DistributedWorker(both).run());
      const { processed } = await running;
      if (processed !== numChunks) throw new RangeError(`${processed} of ${numChunks} chunks`);
      await Promise.all(workers);
    };
  };

/** The same chunks one after the other, without anybody to hand them out. */
export const oneByOne =
  (ms: number): Variant =>
  async (numChunks, folder) => {
    const builder = await sleeps({ ms }, folder);
    return async () => {
      for (let chunk = 0; chunk < numChunks; chunk++) await new SerialProcessor().run(builder);
    };
  };

/** Nothing is faster, or promised to be. */
export const waits =
  (msOf: (size: number) => number): Variant =>
  async (size) =>
  () =>
    setTimeout(msOf(size));

/** A worker in a process of its own is killed in a chunk: until that begins in another one. */
export const restarted =
  (place: MeetingPlace): Variant =>
  async (_, folder, defer) => {
    const both = await shared(place, folder, defer);
    const file = path.join(folder, 'begun');
    const begun = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
    const startWorker = () => {
      const args = [MRUN, '--url', both.url, '--secret-file', both.secretFile];
      const worker = spawn(process.execPath, args, { cwd: FOLDER, stdio: 'ignore' });
      defer(async () => worker.kill('SIGKILL'));
      return worker;
    };
    const manager = new DistributedProcessor({ ...both, stateFolder: folder, numChunks: 1 });
    const running = manager.run(await sleeps({ ms: 600_000, file }, folder));
    defer(async () => {
      manager.stop();
      await running;
    });
    const victim = startWorker();
    await until('a chunk has begun', PATIENCE_MS, () => begun() === 1);
    startWorker();
    await until('both workers are there', PATIENCE_MS, () => manager.cluster?.workers === 2);
    return async () => {
      victim.kill('SIGKILL');
      await until('it has begun again', PATIENCE_MS, () => begun() === 2);
    };
  };

/** A plan, and workers that have nothing to do, in this process or, for the memory of the manager alone, in another one. */
export const drained =
  (place: MeetingPlace, count: number, startAll = startWorkers): Variant =>
  async (numChunks, folder, defer) => {
    const url = await place(defer);
    const secret = randomBytes(32);
    const logger = createLogger('bench');
    const engine = await engineOf(url);
    const options = { url, secret, leaseMs: LEASE_MS, logger, stateFolder: folder };
    const manager = await engine.manager(options);
    defer(async () => manager[Symbol.asyncDispose]());
    await manager.begin({ name: 'bench', builders: ['A'], digest: 'bench' });
    const crew = { url: url.href, secret: secret.toString('hex'), count };
    await startAll({ kind: 'ours', ...crew }, defer);
    const sealed = randomBytes(150).toString('base64');
    const plan = { header: sealed, chunks: Array.from({ length: numChunks }, () => sealed) };
    return async () => {
      await manager.submit(0, plan, POLICY);
      const { completed } = await manager.settle(0);
      if (completed !== numChunks) throw new RangeError(`${completed} of ${numChunks} chunks`);
    };
  };
