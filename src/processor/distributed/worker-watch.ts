import { NoWorkersError } from '../../errors/distributed-errors.js';
import type { Logger } from '../../util/logger.js';
import type { ManagerSession } from './engine.js';

const LOOK_MS = 1000;
const REPORT_MS = 10_000;
const WARN_MS = 60_000;

/** How many workers there are. */
export type WorkerCount = Awaited<ReturnType<ManagerSession['workers']>>;

/** What a watch does with what it sees. */
export interface WorkerWatchSetup {
  readonly logger: Logger;
  /** How long it may take until a worker is there; infinite for no limit. */
  readonly workerTimeoutMs: number;
  /** Told from time to time. */
  readonly report: (workers: WorkerCount) => void;
  /** Told once, when nobody came for so long. */
  readonly giveUp: (error: NoWorkersError) => void;
}

/** Says who is there to do the work; and when nobody is, and in the end gives up. */
export class WorkerWatch {
  readonly #session: ManagerSession;
  readonly #setup: WorkerWatchSetup;
  readonly #timer: NodeJS.Timeout;
  #seenAt = performance.now();
  #warnedAt = this.#seenAt;
  #reportedAt = this.#seenAt;

  constructor(session: ManagerSession, setup: WorkerWatchSetup) {
    this.#session = session;
    this.#setup = setup;
    const every = Math.min(LOOK_MS, setup.workerTimeoutMs / 4);
    this.#timer = setInterval(() => void this.#look(), every);
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.#judge(await this.#session.workers());
    } catch (error) {
      // Whoever waits for the chunks hears of an engine that fails.
      this.#setup.logger.debug(`Who is there cannot be told: ${String(error)}`);
    }
  }

  #judge(workers: WorkerCount): void {
    const now = performance.now();
    const { workerTimeoutMs, report } = this.#setup;
    if (now - this.#reportedAt >= REPORT_MS) {
      this.#reportedAt = now;
      report(workers);
    }
    if (workers.count > 0) this.#seenAt = this.#warnedAt = now;
    else if (now - this.#seenAt >= workerTimeoutMs) this.#giveUp();
    else if (now - this.#warnedAt >= WARN_MS) this.#warn(now);
  }

  #warn(now: number): void {
    this.#warnedAt = now;
    const { address } = this.#session;
    const minutes = Math.round((now - this.#seenAt) / WARN_MS);
    this.#setup.logger.warn(
      `No worker was there for ${minutes} min: start some with \`mrun --url ${address} -n N\``,
    );
  }

  #giveUp(): void {
    this.stop();
    const { workerTimeoutMs, giveUp } = this.#setup;
    giveUp(new NoWorkersError(this.#session.address, workerTimeoutMs));
  }
}
