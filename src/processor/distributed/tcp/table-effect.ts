import type { ChunkEvent } from '../engine.js';
import type { LeaseRecord } from './lease-record.js';
import type { ManagerMessage } from './messages.js';

/** What the table says; the chunk's description is added by whoever sends it. */
export type TableMessage =
  | Exclude<ManagerMessage, { type: 'CHUNK' | 'STAGE' }>
  | {
      readonly type: 'CHUNK';
      readonly stage: number;
      readonly index: number;
      readonly token: string;
      readonly attempt: number;
    };

/** What is to be done after something happened to the table, in this order. */
export type TableEffect =
  | { readonly type: 'record'; readonly record: LeaseRecord }
  | {
      readonly type: 'send';
      readonly to: number;
      readonly message: TableMessage;
      /** Not before all records until now are durable. */
      readonly isPromise: boolean;
    }
  | { readonly type: 'close'; readonly connection: number }
  | { readonly type: 'event'; readonly event: ChunkEvent };

/** Collects what is to be done. */
export class TableEffects {
  #effects: TableEffect[] = [];

  record(record: LeaseRecord): void {
    this.#effects.push({ type: 'record', record });
  }

  send(to: number, message: TableMessage): void {
    this.#effects.push({ type: 'send', to, message, isPromise: false });
  }

  /** Sends when all records until now are durable. */
  promise(to: number, message: TableMessage): void {
    this.#effects.push({ type: 'send', to, message, isPromise: true });
  }

  close(connection: number): void {
    this.#effects.push({ type: 'close', connection });
  }

  tell(event: ChunkEvent): void {
    this.#effects.push({ type: 'event', event });
  }

  take(): TableEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
