import { createHash, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { ManagerLock } from './manager-lock.js';
import { RunSeal } from './run-seal.js';

/** So long a worker that was away can see that its run is over, in seconds. */
const OVER_S = 3600;

/** What workers see of the run that is at work. */
export interface CurrentRun {
  readonly run: string;
  readonly leaseMs: number;
  readonly isOver: boolean;
}

/** The key of what workers see. */
const currentKey = (prefix: string) => `${prefix}:current`;

/** @returns undefined when there is no run. */
export async function readCurrent(client: Redis, prefix: string): Promise<CurrentRun | undefined> {
  const [run, leaseMs, state] = await client.hmget(currentKey(prefix), 'run', 'leaseMs', 'state');
  if (run == null) return undefined;
  return { run, leaseMs: Number(leaseMs), isOver: state === 'over' };
}

/** Where a run stands: what its manager knows of it is what is written down. */
export class RunRecord {
  readonly run: string;
  /** Where it is written. */
  readonly key: string;
  readonly seal: RunSeal;
  /** Of the stages that are finished. */
  readonly notes: string[];
  /** How many chunks the stage that is at work has; undefined until its plan is durable. */
  size: number | undefined;
  readonly #client: Redis;
  readonly #prefix: string;

  private constructor(
    client: Redis,
    prefix: string,
    key: string,
    known: { readonly run: string; readonly seal: RunSeal; readonly notes: string[] },
  ) {
    this.#client = client;
    this.#prefix = prefix;
    this.key = key;
    this.run = known.run;
    this.seal = known.seal;
    this.notes = known.notes;
  }

  /** Reads what is remembered of a run; one of which nothing is gets a new name. */
  static async read(
    client: Redis,
    prefix: string,
    { digest, secret }: { readonly digest: string; readonly secret: Uint8Array },
  ): Promise<RunRecord> {
    const hash = createHash('sha256').update(digest).digest('hex').slice(0, 32);
    const key = `${prefix}:run:${hash}`;
    const { run = randomUUID(), notes, size = '' } = await client.hgetall(key);
    const seal = new RunSeal(secret, run);
    const known = notes === undefined ? [] : seal.open<string[]>('note', notes);
    const record = new RunRecord(client, prefix, key, { run, seal, notes: known });
    if (size !== '') record.size = Number(size);
    return record;
  }

  get stage(): number {
    return this.notes.length;
  }

  async write(lock: ManagerLock): Promise<void> {
    const notes = this.seal.seal('note', this.notes);
    const fields = ['run', this.run, 'stage', this.stage, 'size', this.size ?? '', 'notes', notes];
    await lock.write('HSET', this.key, ...fields);
  }

  /** Workers work for this run from now on. */
  async show(lock: ManagerLock, leaseMs: number): Promise<void> {
    const fields = ['run', this.run, 'leaseMs', leaseMs, 'state', 'on'];
    await lock.write('HSET', currentKey(this.#prefix), ...fields);
    await lock.write('PERSIST', currentKey(this.#prefix));
  }

  /** Nobody takes the run over any more, and workers leave. */
  async end(lock: ManagerLock): Promise<void> {
    await lock.write('HSET', currentKey(this.#prefix), 'state', 'over');
    await lock.write('EXPIRE', currentKey(this.#prefix), OVER_S);
    await lock.write('DEL', this.key);
  }

  /** Whether the Redis remembers what we do: nothing (`lost`), or more, because another manager went on (`passed`). */
  async compare(): Promise<'same' | 'lost' | 'passed'> {
    const [current, [run, stage]] = await Promise.all([
      readCurrent(this.#client, this.#prefix),
      this.#client.hmget(this.key, 'run', 'stage'),
    ]);
    if (current !== undefined && (current.run !== this.run || current.isOver)) return 'passed';
    if (current === undefined || run == null) return 'lost';
    if (run !== this.run || Number(stage) > this.stage) return 'passed';
    return Number(stage) === this.stage ? 'same' : 'lost';
  }
}
