import { Worker } from 'node:worker_threads';
import { runnable } from '../../util/own-files.js';
import { settledWithin } from '../../util/turn.js';
import { StepClock } from './step-clock.js';
import type {
  Loss,
  WorkerHandle,
  WorkerListener,
  WorkerMessage,
  WorkerSpec,
} from './worker-handle.js';

/** How much later than the worker itself we notice an overrun, so that one that awaits can record it first. */
const MARGIN_MS = 50;
/** A thread in a blocking system call ends when the call returns; nobody waits for that. */
const END_MS = 1000;

const ENTRY = runnable('processor/multiprocess/worker-entry');

/** What a thread is started with. */
export interface ThreadData {
  readonly clock: SharedArrayBuffer;
  readonly data: object;
}

/** A worker in a thread of this process. */
export class WorkerThread implements WorkerHandle {
  readonly #worker: Worker;
  readonly #clock = new StepClock();
  readonly #limitMs: number | null;
  readonly #tell: WorkerListener;
  #timer: NodeJS.Timeout | undefined;
  #isLost = false;

  constructor({ data, stepLimitMs, memoryMb }: WorkerSpec, listener: WorkerListener) {
    this.#limitMs = stepLimitMs;
    this.#tell = listener;
    this.#clock.reset();
    const workerData: ThreadData = { clock: this.#clock.memory, data };
    this.#worker = new Worker(ENTRY, {
      workerData,
      // What this process was started with (--inspect, the hooks of tsx) is not for workers.
      execArgv: [],
      name: 'maggma worker',
      ...(memoryMb !== null && { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
    });
    this.#worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'done') this.#unwatch();
      if (!this.#isLost) listener(message);
    });
    this.#worker.on('error', (error: unknown) => this.lose('death', describe(error, memoryMb)));
    this.#worker.on('exit', (code) => this.lose('death', `exited with code ${code}`));
  }

  post(frame: Uint8Array<ArrayBuffer>): void {
    this.#clock.reset();
    this.#worker.postMessage(frame, [frame.buffer]);
    this.#watch();
  }

  async end(): Promise<void> {
    this.#isLost = true;
    this.#unwatch();
    await settledWithin(
      this.#worker.terminate().catch(() => undefined),
      END_MS,
    );
  }

  /** Looks at the clock when the current step may have used up its time. */
  #watch(): void {
    const limit = this.#limitMs;
    if (limit === null || this.#isLost) return;
    const left = limit + MARGIN_MS - this.#clock.elapsedMs;
    if (left <= 0) this.lose('timeout', `took longer than ${limit} ms`);
    // Longer timers do not exist.
    else this.#timer = setTimeout(() => this.#watch(), Math.min(left, 2 ** 31 - 1));
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
  }

  /** Gives it up, naming the step that it is at. */
  lose(reason: Loss['reason'], problem: string): void {
    if (this.#isLost) return;
    const { step, elapsedMs } = this.#clock;
    this.#tell({ kind: 'lost', loss: { reason, step, elapsedMs, problem } });
    void this.end();
  }
}

function describe(error: unknown, memoryMb: number | null): string {
  if (!(error instanceof Error)) return `died of ${String(error)}`;
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `ran out of memory${memoryMb === null ? '' : `: its limit is ${memoryMb} MB`}`;
  return `died of an uncaught ${error.name}: ${error.message}`;
}
