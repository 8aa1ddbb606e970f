import { setTimeout as pause } from 'node:timers/promises';
import { isMaggmaError } from '../errors/maggma-error.js';
import { redact } from '../errors/redact.js';
import { StoreOperationError } from '../errors/store-errors.js';
import type { Doc } from '../query/document.js';
import type { Store } from '../store/store.js';
import type { UpdateResult } from '../store/store-options.js';
import { createLogger } from '../util/logger.js';
import { Pulse } from '../util/pulse.js';
import { settledWithin } from '../util/turn.js';
import { Spool, spoolFolderOf } from './spool.js';

const BATCH_SIZE = 1000;
/** How many documents are held in memory when the disk takes none. */
const MAX_PENDING = 10_000;
/** A store that takes longer than this is one that does not answer. */
const PATIENCE_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** How long closing the store may take. */
const CLOSE_STORE_MS = 2000;

const BY_ID = { key: '_id' };

/** Codes of errors after which another attempt with the same document is of no use. */
const REFUSALS: readonly unknown[] = ['INVALID_DOCUMENT', 'VALIDATION', 'READ_ONLY_STORE'];

/**
 * Writes documents into a store in the background, in their order.
 *
 * What the store does not take is kept in a spool until it does, be it in a later process.
 */
export class Delivery {
  readonly #store: Store;
  readonly #folder: string;
  readonly #logger = createLogger('Reporter');
  readonly #closing = new Pulse();
  /** What is in no spool, by id. */
  readonly #pending = new Map<string, Doc>();
  #spool: Spool;
  /** Spools that others left; undefined until somebody looked. */
  #inherited: Spool[] | undefined;
  #isEmptying = false;
  #working: Promise<void> | undefined;
  #isClosing = false;
  #isDown = false;
  #hasOpened = false;
  /** What the log has said already. */
  readonly #said = new Set<'down' | 'disk' | 'refused'>();
  #lost = 0;

  constructor(store: Store, spoolFolder: string) {
    this.#store = store;
    this.#folder = spoolFolderOf(store.identity, spoolFolder);
    this.#spool = Spool.create(this.#folder);
  }

  /** Takes a document that is to be written; one with the same `_id` that still waits is replaced. */
  add(doc: Doc): void {
    this.#pending.set(String(doc['_id']), doc);
    // What waits beside it did not find room: that is tried again with the store, not with each document.
    if (this.#isDown && this.#pending.size === 1) this.#spill();
    this.#lose(this.#pending.size - MAX_PENDING);
    this.#working ??= this.#work();
  }

  /** Waits until all is written, but not longer than a time. The rest is left in the spool, the store as it was found. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    this.#closing.beat();
    await settledWithin(this.#working ?? Promise.resolve(), timeoutMs);
    this.#release();
    if (this.#working === undefined) this.#spill();
    else this.#goDown(this.#noAnswer(timeoutMs));
    this.#release();
    this.#lose(this.#pending.size);
    if (this.#lost > 0) {
      const events = this.#lost === 1 ? '1 event is' : `${this.#lost} events are`;
      this.#logger.error(`${events} lost, not written to ${this.#store.name}`);
    }
    this.#lost = 0;
    this.#isClosing = false;
    // It may still be waiting for the store, which may still be opened then.
    void this.#working?.then(() => this.#closeStore());
    await settledWithin(this.#closeStore(), CLOSE_STORE_MS);
  }

  async #work(): Promise<void> {
    try {
      for (let waitMs = FIRST_RETRY_MS; this.#pending.size > 0 || !this.#spool.isEmpty; ) {
        const isLast = this.#isClosing;
        try {
          await this.#attempt();
          waitMs = FIRST_RETRY_MS;
        } catch (error) {
          this.#goDown(error);
          if (isLast) return;
          if (this.#isClosing) continue;
          await Promise.race([pause(waitMs, undefined, { ref: false }), this.#closing.next()]);
          waitMs = Math.min(waitMs * 2, LAST_RETRY_MS);
        }
      }
    } finally {
      // At once: what comes next must find somebody who works.
      this.#working = undefined;
    }
  }

  /** Writes everything, the oldest first. */
  async #attempt(): Promise<void> {
    if (!this.#store.connected) await this.#open();
    this.#inherited ??= this.#onDisk(() => Spool.takeOver(this.#folder)) ?? [];
    for (const spool of this.#inherited) await this.#empty(spool);
    this.#inherited = [];
    await this.#empty(this.#spool);
    await this.#writePending();
    if (this.#isDown) this.#logger.info(`${this.#store.name} takes events again`);
    this.#isDown = false;
  }

  async #open(forceReset = false): Promise<void> {
    await this.#patiently(() => this.#store.connect({ forceReset }));
    this.#hasOpened = true;
  }

  /** Does not give up waiting for the store, but goes on as if it could not be reached. */
  async #patiently<R>(ask: () => Promise<R>): Promise<R> {
    const timer = setTimeout(() => this.#goDown(this.#noAnswer(PATIENCE_MS)), PATIENCE_MS).unref();
    try {
      return await ask();
    } finally {
      clearTimeout(timer);
    }
  }

  #noAnswer(ms: number): StoreOperationError {
    const problem = `there was no answer within ${ms / 1000} s`;
    return new StoreOperationError(this.#store.name, 'update', problem);
  }

  async #empty(spool: Spool): Promise<void> {
    if (spool.isEmpty) return;
    this.#isEmptying = true;
    try {
      for await (const batch of spool.batches(BATCH_SIZE)) await this.#write(batch);
      if (spool.torn > 0) {
        const lines = spool.torn === 1 ? '1 line' : `${spool.torn} lines`;
        this.#logger.warn(
          `${lines} of ${spool.file} cannot be read: whoever wrote it died over it`,
        );
      }
      spool.remove();
    } finally {
      this.#isEmptying = false;
    }
  }

  async #writePending(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, BATCH_SIZE);
      await this.#write(batch.map(([, doc]) => doc));
      // What was replaced meanwhile is still to be written.
      for (const [id, doc] of batch) if (this.#pending.get(id) === doc) this.#pending.delete(id);
    }
  }

  async #write(docs: readonly Doc[]): Promise<void> {
    try {
      const { refused } = await this.#update(docs);
      for (const { reason } of refused) this.#refuse(reason);
    } catch (error) {
      if (!REFUSALS.includes(codeOf(error))) throw error;
      if (docs.length === 1) this.#refuse(messageOf(error));
      // None of them was stored.
      else for (const doc of docs) await this.#write([doc]);
    }
  }

  async #update(docs: readonly Doc[]): Promise<UpdateResult> {
    try {
      return await this.#patiently(() => this.#store.update(docs, BY_ID));
    } catch (error) {
      // A build had opened the same store, and closed it; or another process wrote into the same file.
      const isOutdated = this.#hasOpened && codeOf(error) === 'STORE_CONFLICT';
      if (this.#store.connected && !isOutdated) throw error;
      await this.#open(isOutdated);
      return await this.#patiently(() => this.#store.update(docs, BY_ID));
    }
  }

  #goDown(error: unknown): void {
    this.#isDown = true;
    this.#spill();
    this.#say(
      'down',
      `${messageOf(error)}; the build goes on, its events are kept in ${this.#folder} until they can be written`,
    );
  }

  /** Moves what waits to the disk. */
  #spill(): void {
    // What is being read must not be added to: it is removed at the end.
    if (this.#isEmptying) return;
    this.#onDisk(() => {
      this.#spool.touch();
      this.#spool.append([...this.#pending.values()]);
      this.#pending.clear();
    });
  }

  /** Leaves the spools to whoever comes next. */
  #release(): void {
    const spools = [...(this.#inherited ?? []), this.#spool];
    for (const spool of spools) this.#onDisk(() => spool.release());
    this.#inherited = undefined;
    this.#spool = Spool.create(this.#folder);
    this.#isEmptying = false;
  }

  #refuse(reason: string): void {
    this.#lost++;
    this.#say('refused', `${this.#store.name} refuses an event: ${reason}`);
  }

  /** Gives up the oldest documents. */
  #lose(count: number): void {
    for (const id of [...this.#pending.keys()].slice(0, Math.max(0, count))) {
      this.#pending.delete(id);
      this.#lost++;
    }
  }

  /** Nothing depends on the disk as long as there is memory. */
  #onDisk<R>(action: () => R): R | undefined {
    try {
      return action();
    } catch (error) {
      this.#say('disk', `The spool cannot be used, events wait in memory: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** Warns, but not again and again. */
  #say(topic: 'down' | 'disk' | 'refused', message: string): void {
    if (this.#said.has(topic)) this.#logger.debug(message);
    else this.#logger.warn(message);
    this.#said.add(topic);
  }

  /** Leaves the store as it was found. */
  async #closeStore(): Promise<void> {
    if (!this.#hasOpened) return;
    this.#hasOpened = false;
    try {
      await this.#store.close();
    } catch (error) {
      this.#logger.warn(messageOf(error));
    }
  }
}

const codeOf = (error: unknown): string | undefined =>
  isMaggmaError(error) ? error.code : undefined;

const messageOf = (error: unknown): string =>
  redact(error instanceof Error ? error.message : String(error));
