import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NO_RESULT } from '../../../src/processor/distributed/chunk-result.js';
import type {
  ChunkEvent,
  ChunkResult,
  DistributedEngine,
  Lease,
  ManagerOptions,
  ManagerSession,
  RetryPolicy,
  StageOutcome,
  WorkerOptions,
  WorkerSession,
} from '../../../src/processor/distributed/engine.js';
import { createLogger } from '../../../src/util/logger.js';

const CHILD = fileURLToPath(new URL('../../fixtures/engine-child.mjs', import.meta.url));

/** Waits until something is so, and says what it waited for when that takes too long. */
export async function until(what: string, isSo: () => boolean, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new RangeError(`waited in vain until ${what}`);
    await setTimeout(10);
  }
}

/** What a process says. */
export interface Report {
  readonly at: number;
  readonly type: string;
  readonly stage: number;
  readonly index: number;
  readonly attempt: number;
  readonly planned: boolean;
  readonly notes: readonly string[];
  readonly outcome: StageOutcome;
}

/** A manager or a worker in a process of its own. */
export class ClusterProcess {
  readonly reports: Report[] = [];
  readonly child: ChildProcess;
  errors = '';

  /** @param env - What is not as in this process. */
  constructor(message: object, env: NodeJS.ProcessEnv = {}) {
    this.child = fork(CHILD, [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.child.on('message', (report) => this.reports.push(report as Report));
    this.child.stderr?.on('data', (text: Buffer) => {
      this.errors += String(text);
    });
    this.child.send(message);
  }

  all(type: string): Report[] {
    return this.reports.filter((report) => report.type === type);
  }

  /** Waits for its n-th report of a type. */
  async report(type: string, n = 1, withinMs?: number): Promise<Report> {
    const isThere = () => this.all(type).length >= n || this.child.exitCode === 1;
    await until(`a process reports "${type}"`, isThere, withinMs);
    const report = this.all(type)[n - 1];
    if (report === undefined) throw new RangeError(`the process ended: ${this.errors}`);
    return report;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    if (signal === 'SIGKILL') await exit;
  }
}

export const POLICY: RetryPolicy = { attempts: 3, losses: 5, backoffMs: 50 };
export const RUN = { name: 'Test', builders: ['A', 'B'], digest: 'the same run' };
export const DONE: ChunkResult = { ...NO_RESULT, processed: 1, succeeded: 1 };

/** `n` chunks, each of which says what becomes of it. */
export const chunks = (n: number, chunk: { ms?: number; kills?: boolean } = {}): string[] =>
  Array.from({ length: n }, () => JSON.stringify(chunk));

/** Managers and workers that meet at one place, and are gone when the test ends. */
export class Cluster implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'maggma-engine-'));
  readonly secret = Buffer.alloc(32, 0x5a);
  readonly events: ChunkEvent[] = [];
  readonly #engine: DistributedEngine;
  readonly url: URL;
  readonly #leaseMs: number;
  readonly #sessions: AsyncDisposable[] = [];
  readonly #processes: ClusterProcess[] = [];
  #workers = 0;

  constructor(engine: DistributedEngine, url: URL, leaseMs: number) {
    this.#engine = engine;
    this.url = url;
    this.#leaseMs = leaseMs;
  }

  /** A manager in this process, whose run has not begun. */
  async manager(options: Partial<ManagerOptions> = {}): Promise<ManagerSession> {
    const session = await this.#engine.manager({
      ...this.#common(),
      stateFolder: this.folder,
      ...options,
    });
    this.#sessions.push(session);
    void this.#listen(session);
    return session;
  }

  /**
   * A worker in this process.
   *
   * @param options - What is not as for all others.
   */
  async worker(slots = 1, options: Partial<WorkerOptions> = {}): Promise<WorkerSession> {
    const session = await this.#engine.worker({
      ...this.#common(),
      ...this.#identity(slots),
      ...options,
    });
    this.#sessions.push(session);
    return session;
  }

  managerProcess(
    stages: readonly (readonly string[])[],
    policy = POLICY,
    env?: NodeJS.ProcessEnv,
  ): ClusterProcess {
    const stateFolder = this.folder;
    const options = { ...this.#portable(), stateFolder };
    return this.#start({ role: 'manager', options, run: RUN, stages, policy }, env);
  }

  workerProcess(slots = 1, env?: NodeJS.ProcessEnv): ClusterProcess {
    const options = { ...this.#portable(), ...this.#identity(slots) };
    return this.#start({ role: 'worker', options }, env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) await child.kill();
    for (const session of this.#sessions.toReversed()) await session[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }

  #start(message: object, env?: NodeJS.ProcessEnv): ClusterProcess {
    const child = new ClusterProcess(message, env);
    this.#processes.push(child);
    return child;
  }

  #identity(slots: number) {
    return { worker: `worker ${++this.#workers}`, slots, version: 'version 1' };
  }

  #common() {
    const { secret } = this;
    return { url: this.url, secret, leaseMs: this.#leaseMs, logger: createLogger('test') };
  }

  #portable() {
    const secret = this.secret.toString('hex');
    return { url: this.url.href, secret, leaseMs: this.#leaseMs };
  }

  async #listen(session: ManagerSession): Promise<void> {
    for await (const event of session.events()) this.events.push(event);
  }
}

/** Waits for a chunk that must come. */
export async function next(worker: WorkerSession): Promise<Lease> {
  const lease = await worker.receive(AbortSignal.timeout(20_000));
  if (lease === undefined || lease === 'run-finished')
    throw new RangeError(`expected a chunk, got ${lease}`);
  return lease;
}

/** Does all chunks that come, until the run is over. */
export async function serve(
  worker: WorkerSession,
  work = async (lease: Lease): Promise<void> => lease.ack(DONE),
): Promise<number> {
  for (let served = 0; ; served++) {
    const lease = await worker.receive();
    if (lease === undefined || lease === 'run-finished') return served;
    await work(lease);
  }
}
