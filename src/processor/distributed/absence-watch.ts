import type { Logger } from '../../util/logger.js';

const LOOK_MS = 1000;
const WARN_MS = 60_000;

/** What a watch does with what it sees. */
export interface AbsenceWatchSetup {
  /** Looks whether somebody is there. */
  readonly isThere: () => boolean | Promise<boolean>;
  /** How long nobody may be there, in milliseconds; infinite for no limit. */
  readonly timeoutMs: number;
  /** Says what is to be done, after each minute in which nobody was there. */
  readonly advice: (minutes: number) => string;
  /** Told once, when nobody was there for so long. */
  readonly giveUp: () => void;
  readonly logger: Logger;
}

/** Says when nobody is on the other side, and in the end gives up. */
export class AbsenceWatch {
  readonly #setup: AbsenceWatchSetup;
  readonly #timer: NodeJS.Timeout;
  #seenAt = performance.now();
  #warnedAt = this.#seenAt;
  #hasSeen = false;

  constructor(setup: AbsenceWatchSetup) {
    this.#setup = setup;
    const every = Math.min(LOOK_MS, setup.timeoutMs / 4);
    this.#timer = setInterval(() => void this.#look(), every);
  }

  /** Whether anybody was ever there. */
  get hasSeen(): boolean {
    return this.#hasSeen;
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { isThere, logger } = this.#setup;
    try {
      this.#judge(await isThere());
    } catch (error) {
      // Whoever waits for the other side hears of an engine that fails.
      logger.debug(`Who is there cannot be told: ${String(error)}`);
    }
  }

  #judge(isThere: boolean): void {
    const now = performance.now();
    const { timeoutMs, advice, giveUp, logger } = this.#setup;
    this.#hasSeen ||= isThere;
    if (isThere) this.#seenAt = this.#warnedAt = now;
    else if (now - this.#seenAt >= timeoutMs) {
      this.stop();
      giveUp();
    } else if (now - this.#warnedAt >= WARN_MS) {
      this.#warnedAt = now;
      logger.warn(advice(Math.round((now - this.#seenAt) / WARN_MS)));
    }
  }
}
