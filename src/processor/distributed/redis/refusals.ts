import { setTimeout } from 'node:timers/promises';
import { BrokerError } from '../../../errors/distributed-errors.js';
import type { Logger } from '../../../util/logger.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** Why a Redis refuses to write, by the word that its answer has, and how that is mended. */
const CURES: Readonly<Record<string, string>> = {
  OOM: 'its memory is full: raise `maxmemory`, or remove what else it holds',
  MISCONF: 'it cannot write to its disk: look at its log, and make room there',
  NOREPLICAS: 'its replicas are gone: start them, or lower `min-replicas-to-write`',
  READONLY: 'it is a replica: use the address of the one that it follows',
};
const REFUSAL = new RegExp(`\\b(?:${Object.keys(CURES).join('|')})\\b`);

/** What a Redis refuses to write, though it is there and may write again later. */
export class Refusals {
  readonly #address: string;
  readonly #logger: Logger;
  #isOn = false;

  constructor(address: string, logger: Logger) {
    this.#address = address;
    this.#logger = logger;
  }

  /** @returns whether an error is a refusal; the first one of several is logged. */
  hears(error: unknown): boolean {
    const cure = cureOf(error);
    if (cure === undefined) return false;
    if (!this.#isOn)
      this.#logger.warn(
        `The Redis at ${this.#address} refuses to write, because ${cure}; it is tried again until then`,
      );
    this.#isOn = true;
    return true;
  }

  /** Something was written. */
  passed(): void {
    if (this.#isOn) this.#logger.info(`The Redis at ${this.#address} writes again`);
    this.#isOn = false;
  }

  /** Writes something when that is possible, unless the signal fires before. */
  async outlast(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
    let wasRefused = false;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs *= 2) {
      try {
        await write();
        // What frees memory is done also when that is full.
        if (wasRefused) this.passed();
        return;
      } catch (error) {
        if (!this.hears(error)) throw error;
        wasRefused = true;
      }
      const ms = Math.min(pauseMs, LONGEST_PAUSE_MS);
      await setTimeout(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Says what is to be done about a refusal; any other error stays as it is. */
  explain(error: unknown): unknown {
    const cure = cureOf(error);
    if (cure === undefined) return error;
    // What Redis itself says is no cause: it names the command.
    return new BrokerError(
      this.#address,
      `refuses to write, because ${cure}; then start the manager again: it goes on with the run`,
    );
  }
}

function cureOf(error: unknown): string | undefined {
  const [word = ''] = REFUSAL.exec(String(error)) ?? [];
  return CURES[word];
}
