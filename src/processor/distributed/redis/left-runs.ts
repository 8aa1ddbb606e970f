import type { Redis } from 'ioredis';
import type { Logger } from '../../../util/logger.js';
import type { ManagerLock } from './manager-lock.js';
import { Roster } from './roster.js';

/** So long a run that nobody manages can be gone on with: a week. */
const KEPT_MS = 7 * 24 * 3_600_000;
const PAGE = 1000;

/** A run that was begun and has not ended. */
interface BegunRun {
  readonly run: string;
  /** The key of its record. */
  readonly record: string;
}

/** The runs of a place that have not ended, and when each was managed last. */
export class LeftRuns {
  readonly #client: Redis;
  readonly #prefix: string;
  readonly #own: BegunRun;
  readonly #roster: Roster<BegunRun>;

  /** @param own - The run that is managed here. */
  constructor(client: Redis, prefix: string, own: BegunRun) {
    this.#client = client;
    this.#prefix = prefix;
    this.#own = own;
    this.#roster = new Roster(client, `${prefix}:runs`);
  }

  /** The run is managed. */
  async beat(): Promise<void> {
    await this.#roster.beat(this.#own);
  }

  /** The run has ended. */
  async end(): Promise<void> {
    await this.#roster.strike(this.#own);
  }

  /** Removes what is left of runs that nobody has gone on with. */
  async sweep(lock: ManagerLock, logger: Logger): Promise<void> {
    for (const { entry, ageMs } of await this.#roster.list()) {
      const { run, record } = entry;
      if (ageMs <= KEPT_MS || run === this.#own.run) continue;
      logger.info(`Removes the run ${run}, which nobody has gone on with for a week`);
      const match = `${this.#prefix}:${run}:*`;
      for await (const found of this.#client.scanStream({ match, count: PAGE })) {
        const [first, ...others] = found as string[];
        if (first !== undefined) await lock.write('UNLINK', first, ...others);
      }
      await lock.write('UNLINK', record);
      await this.#roster.strike(entry);
    }
  }
}
