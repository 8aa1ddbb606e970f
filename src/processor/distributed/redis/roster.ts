import type { Redis } from 'ioredis';

/** The first write frees nothing and takes nothing: after it, the second one is done also when the memory is full. */
const BEAT = `
local time = redis.call('TIME')
redis.call('PERSIST', KEYS[1])
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])`;
/** Each member, and how many milliseconds ago it was heard of. */
const AGES = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 2, #found, 2 do found[i] = now - found[i] end
return found`;

/** A worker, as it introduces itself. */
export interface RosterEntry {
  readonly worker: string;
  readonly slots: number;
  readonly version: string;
}

/** Who is there, and was heard of when. The clock is that of the Redis. */
export class Roster<Entry extends object = RosterEntry> {
  readonly #client: Redis;
  readonly #key: string;

  constructor(client: Redis, key: string) {
    this.#client = client;
    this.#key = key;
  }

  /** Somebody is there. */
  async beat(entry: Entry): Promise<void> {
    await this.#client.eval(BEAT, 1, this.#key, JSON.stringify(entry));
  }

  /** Somebody is gone. */
  async strike(entry: Entry): Promise<void> {
    await this.#client.zrem(this.#key, JSON.stringify(entry));
  }

  /** All of them, and how long ago each was heard of. */
  async list(): Promise<{ readonly entry: Entry; readonly ageMs: number }[]> {
    const found = (await this.#client.eval(AGES, 1, this.#key)) as (string | number)[];
    const entries = [];
    for (let i = 0; i < found.length; i += 2) {
      const entry = JSON.parse(String(found[i])) as Entry;
      entries.push({ entry, ageMs: Number(found[i + 1]) });
    }
    return entries;
  }
}
