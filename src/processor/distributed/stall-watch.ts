/** So long nothing may move until that is said; it is said again after twice as long, and so on. */
const WARN_MS = 5 * 60_000;
const LOOK_MS = 1000;

/** What a watch does with what it sees. */
export interface StallWatchSetup {
  /** How long nothing may move, in milliseconds; infinite for no limit. */
  readonly limitMs: number;
  readonly warn: (minutes: number) => void;
  /** Told once, when nothing moved for so long. */
  readonly giveUp: () => void;
}

/** Notices when nothing moves in a chunk. */
export class StallWatch {
  readonly #setup: StallWatchSetup;
  readonly #timer: NodeJS.Timeout;
  readonly #everyMs: number;
  /** Looks are counted: while this process is stopped itself it cannot hear of anything. */
  #stillMs = 0;
  #warnMs = WARN_MS;
  #isPaused = false;

  constructor(setup: StallWatchSetup) {
    this.#setup = setup;
    this.#everyMs = Math.min(LOOK_MS, setup.limitMs / 4);
    this.#timer = setInterval(() => this.#look(), this.#everyMs);
  }

  /** Something moved. */
  moved(): void {
    // Until the next look it is not yet still.
    this.#stillMs = -this.#everyMs;
    this.#warnMs = WARN_MS;
  }

  /** Waits for an answer, for whose delay the chunk is not to blame. */
  async paused<T>(answer: Promise<T>): Promise<T> {
    this.#isPaused = true;
    try {
      return await answer;
    } finally {
      this.#isPaused = false;
      this.moved();
    }
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#isPaused) return;
    this.#stillMs += this.#everyMs;
    const { limitMs, warn, giveUp } = this.#setup;
    if (this.#stillMs >= limitMs) {
      this.stop();
      giveUp();
    } else if (this.#stillMs >= this.#warnMs) {
      this.#warnMs *= 2;
      warn(Math.round(this.#stillMs / 60_000));
    }
  }
}
