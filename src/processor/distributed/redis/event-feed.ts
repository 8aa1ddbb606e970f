import type { Redis } from 'ioredis';
import type { ChunkEvent } from '../engine.js';
import type { RunSeal } from './run-seal.js';

/** More events than that are forgotten when nobody reads them. */
const MAX_EVENTS = 10_000;
const PAGE = 1000;

/** What is told; that a chunk was handed back is of interest to the manager session alone. */
export type WorkerEvent =
  | ChunkEvent
  | { readonly type: 'OPENED' }
  | { readonly type: 'CHUNK_BACK'; readonly stage: number; readonly index: number };

/** Writes events into a bounded stream. Best effort. */
export class EventTeller {
  readonly #client: Redis;
  readonly #key: string;
  readonly #seal: RunSeal;

  constructor(client: Redis, key: string, seal: RunSeal) {
    this.#client = client;
    this.#key = key;
    this.#seal = seal;
  }

  tell(event: WorkerEvent): void {
    // Without a connection they would pile up.
    if (this.#client.status !== 'ready') return;
    const sealed = this.#seal.seal('event', event);
    this.#client
      // Once the run is over there is no stream any more.
      .xadd(this.#key, 'NOMKSTREAM', 'MAXLEN', '~', MAX_EVENTS, '*', 'event', sealed)
      .catch(() => undefined);
  }
}

/** Reads what workers told. */
export class EventFeed {
  readonly #client: Redis;
  readonly #key: string;
  readonly #seal: RunSeal;
  #after = '0-0';

  constructor(client: Redis, key: string, seal: RunSeal) {
    this.#client = client;
    this.#key = key;
    this.#seal = seal;
  }

  /** Makes the stream; what was told before is not read. */
  async open(): Promise<void> {
    const opened = this.#seal.seal('event', { type: 'OPENED' });
    this.#after = (await this.#client.xadd(this.#key, '*', 'event', opened)) ?? this.#after;
  }

  /** What was told since the last time. */
  async *read(): AsyncGenerator<WorkerEvent, void, undefined> {
    for (;;) {
      const entries = await this.#client.xrange(this.#key, `(${this.#after}`, '+', 'COUNT', PAGE);
      for (const [id, [, sealed = '']] of entries) {
        this.#after = id;
        yield this.#seal.open<WorkerEvent>('event', sealed);
      }
      if (entries.length < PAGE) return;
    }
  }
}
