import type { Logger } from '../../../util/logger.js';
import type { ChunkEvent } from '../engine.js';
import type { EventFeed, WorkerEvent } from './event-feed.js';
import type { Roster, RosterEntry } from './roster.js';

/** What a crew is watched with. */
export interface CrewSetup {
  readonly roster: Roster;
  readonly feed: EventFeed;
  /** A worker that is silent for so long is lost. */
  readonly silentMs: number;
  readonly emit: (event: ChunkEvent) => void;
  readonly logger: Logger;
}

/** Makes events of what workers tell, and of their silence. */
export class Crew {
  readonly #setup: CrewSetup;
  /** Which worker has which chunk, as `stage/index`, as far as was heard. */
  readonly #holders = new Map<string, string>();
  /** Workers that were silent for too long. */
  readonly #lost = new Set<string>();
  #looking: Promise<void> | undefined;

  constructor(setup: CrewSetup) {
    this.#setup = setup;
  }

  /** Begins to listen; those who are there already are introduced. */
  async open(): Promise<void> {
    const { feed, roster, emit } = this.#setup;
    await feed.open();
    for (const { entry } of await roster.list()) emit({ type: 'WORKER_JOINED', ...entry });
  }

  /** Hears what was told, and who is silent; one look at a time. */
  async look(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking;
    this.#looking = this.#look();
    try {
      await this.#looking;
    } finally {
      this.#looking = undefined;
    }
  }

  /** Those who are there. */
  async present(): Promise<RosterEntry[]> {
    const { roster, silentMs } = this.#setup;
    const all = await roster.list();
    return all.filter(({ ageMs }) => ageMs <= silentMs).map(({ entry }) => entry);
  }

  async #look(): Promise<void> {
    const { feed, roster, silentMs, emit, logger } = this.#setup;
    try {
      for await (const event of feed.read()) this.#hear(event);
      for (const { entry, ageMs } of await roster.list()) {
        const { worker, slots } = entry;
        if (ageMs <= silentMs) {
          // It was only cut off.
          if (this.#lost.delete(worker)) emit({ type: 'WORKER_JOINED', ...entry });
          continue;
        }
        await roster.strike(entry);
        this.#lost.add(worker);
        for (const [chunk, holder] of this.#holders) if (holder === worker) this.#lose(chunk);
        emit({ type: 'WORKER_LOST', worker, slots });
      }
    } catch (error) {
      // Nothing is decided by events.
      logger.debug(`What workers tell cannot be read: ${String(error)}`);
    }
  }

  #hear(event: WorkerEvent): void {
    switch (event.type) {
      case 'OPENED':
        return;
      case 'WORKER_JOINED':
      case 'WORKER_LEFT':
        this.#lost.delete(event.worker);
        break;
      case 'CHUNK_BACK':
        this.#holders.delete(nameOf(event));
        return;
      case 'CHUNK_LEASED':
        // Somebody else had it, and was not heard of again.
        this.#lose(nameOf(event));
        this.#holders.set(nameOf(event), event.worker);
        break;
      case 'CHUNK_DONE':
      case 'CHUNK_RETRY':
      case 'CHUNK_DEAD':
        this.#holders.delete(nameOf(event));
        break;
    }
    this.#setup.emit(event);
  }

  #lose(chunk: string): void {
    const worker = this.#holders.get(chunk);
    if (worker === undefined) return;
    this.#holders.delete(chunk);
    const [stage = 0, index = 0] = chunk.split('/').map(Number);
    this.#setup.emit({ type: 'CHUNK_LOST', stage, index, worker });
  }
}

const nameOf = ({ stage, index }: { stage: number; index: number }) => `${stage}/${index}`;
