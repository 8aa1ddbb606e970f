import { WorkerStartError } from '../../errors/processor-errors.js';
import type { LogLine } from './log-line.js';
import type {
  JobDone,
  Loss,
  WorkerHandle,
  WorkerListener,
  WorkerMessage,
} from './worker-handle.js';

/** How often in a row workers may die while they start: before any was ready, and when it has been seen to work. */
const MAX_FIRST_DEATHS = 3;
const MAX_LATER_DEATHS = 10;
/** How long a worker may take to import its modules and open its stores. */
const START_MS = 60_000;

/** What came of a job. */
export type JobEnd = JobDone | { readonly kind: 'lost'; readonly loss: Loss };

/** What the slots of one pool share. */
export interface WorkerSource {
  /** Starts a worker. */
  open(listener: WorkerListener): WorkerHandle;
  /** How many workers in a row died while they started. */
  startDeaths: number;
  /** Whether any worker was ever ready. */
  wasReady: boolean;
  /** Hears the log lines of workers. */
  onLog(line: LogLine): void;
  /** Hears of each worker that was lost. */
  onLost(loss: Loss): void;
}

/** A place with one worker: started when there is a job for it, replaced after it died. */
export class WorkerSlot {
  readonly #source: WorkerSource;
  #worker: WorkerHandle | undefined;
  #ready: Promise<WorkerHandle> | undefined;
  #onMessage: WorkerListener = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  /** Those that were lost and may not be gone yet. */
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  constructor(source: WorkerSource) {
    this.#source = source;
  }

  /**
   * Does one job; one at a time.
   *
   * @throws {@link WorkerStartError} when no worker can be started, or the slot is closed.
   */
  async run(frame: Uint8Array<ArrayBuffer>): Promise<JobEnd> {
    const worker = await this.#started();
    return this.#untilClosed((resolve) => {
      this.#onMessage = (message) => {
        if (message.kind === 'done' || message.kind === 'lost') resolve(message);
      };
      worker.post(frame);
    });
  }

  /** Ends the worker, whatever it is doing. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#reject(new WorkerStartError('the pool is closed'));
    await Promise.all([this.#worker?.end(), ...this.#leaving]);
  }

  async #started(): Promise<WorkerHandle> {
    this.#ready ??= this.#start();
    try {
      return await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  async #start(): Promise<WorkerHandle> {
    const source = this.#source;
    for (;;) {
      const first = await this.#open();
      if (first.kind === 'ready' && this.#worker) {
        source.startDeaths = 0;
        source.wasReady = true;
        return this.#worker;
      }
      if (first.kind === 'refused') {
        await this.#worker?.end();
        throw new WorkerStartError(first.error.message, { cause: first.error });
      }
      const limit = source.wasReady ? MAX_LATER_DEATHS : MAX_FIRST_DEATHS;
      if (first.kind === 'lost' && ++source.startDeaths >= limit)
        throw new WorkerStartError(`it ${first.loss.problem} while it started`);
    }
  }

  /** Starts a worker and waits for its first word. */
  async #open(): Promise<WorkerMessage> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await this.#untilClosed((resolve) => {
        this.#onMessage = resolve;
        const worker = this.#source.open((message) => this.#hear(worker, message));
        this.#worker = worker;
        timer = setTimeout(() => {
          const problem = `was not ready after ${START_MS / 1000} s`;
          const loss = { reason: 'death', step: null, elapsedMs: START_MS, problem } as const;
          this.#hear(worker, { kind: 'lost', loss });
        }, START_MS);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #hear(worker: WorkerHandle, message: WorkerMessage): void {
    if (message.kind === 'log') {
      this.#source.onLog(message.line);
      return;
    }
    if (worker !== this.#worker) return;
    if (message.kind === 'lost') {
      this.#source.onLost(message.loss);
      this.#worker = undefined;
      this.#ready = undefined;
      const leaving = worker.end().finally(() => this.#leaving.delete(leaving));
      this.#leaving.add(leaving);
    }
    this.#onMessage(message);
  }

  #untilClosed<T>(action: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#closed) reject(new WorkerStartError('the pool is closed'));
      else action(resolve);
    });
  }
}
