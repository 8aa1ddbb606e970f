import type { Redis } from 'ioredis';
import { ChunkSizeError } from '../../../errors/distributed-errors.js';
import type { RetryPolicy, Sealed, StagePlan } from '../engine.js';
import type { ManagerLock } from './manager-lock.js';

/** More than that should be fetched by the chunk itself. */
const MAX_BYTES = 64 * 2 ** 20;
/** So much is written at once. */
const PAGE = 500;
const PAGE_BYTES = 4 * 2 ** 20;

/** What all chunks of a stage have in common. */
export interface StageTerms {
  readonly header: Sealed;
  readonly policy: RetryPolicy;
}

/** The plan of each stage, as a hash: the chunks by their indices, and what they have in common. */
export class PlanStore {
  readonly #client: Redis;
  readonly #prefix: string;
  readonly #run: string;

  constructor(client: Redis, prefix: string, run: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.#run = run;
  }

  /** Replaces what there is. */
  async write(
    lock: ManagerLock,
    stage: number,
    { header, chunks }: StagePlan,
    policy: RetryPolicy,
  ): Promise<void> {
    const key = this.#key(stage);
    await lock.write('DEL', key);
    await lock.write('HSET', key, 'header', header, 'policy', JSON.stringify(policy));
    for (const page of pagesOf(chunks)) await lock.write('HSET', key, ...page);
  }

  async remove(lock: ManagerLock, stage: number): Promise<void> {
    await lock.write('UNLINK', this.#key(stage));
  }

  /** How many chunks there are. */
  async size(stage: number): Promise<number> {
    return (await this.#client.hlen(this.#key(stage))) - 2;
  }

  /** @returns undefined when there is no such stage. */
  async terms(stage: number): Promise<StageTerms | undefined> {
    const [header, policy] = await this.#client.hmget(this.#key(stage), 'header', 'policy');
    if (header == null || policy == null) return undefined;
    return { header, policy: JSON.parse(policy) as RetryPolicy };
  }

  /** @returns undefined when there is no such chunk. */
  async chunk(stage: number, index: number): Promise<Sealed | undefined> {
    return (await this.#client.hget(this.#key(stage), String(index))) ?? undefined;
  }

  #key(stage: number): string {
    return `${this.#prefix}:${this.#run}:plan:${stage}`;
  }
}

/** @throws {@link ChunkSizeError} for a plan that cannot be handed out. */
export function assertSizes({ header, chunks }: StagePlan): void {
  const check = (what: string, { length }: string) => {
    if (length > MAX_BYTES) throw new ChunkSizeError(what, length, MAX_BYTES);
  };
  check('What all chunks share', header);
  for (const [index, chunk] of chunks.entries()) check(`Chunk ${index}`, chunk);
}

/** Fields and values, not too many at once. */
function* pagesOf(chunks: readonly Sealed[]): Generator<(string | number)[]> {
  let page: (string | number)[] = [];
  let bytes = 0;
  for (const [index, chunk] of chunks.entries()) {
    page.push(index, chunk);
    bytes += chunk.length;
    if (page.length < 2 * PAGE && bytes < PAGE_BYTES) continue;
    yield page;
    page = [];
    bytes = 0;
  }
  if (page.length > 0) yield page;
}
