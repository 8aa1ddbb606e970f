import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RunLockedError } from '../../../errors/distributed-errors.js';
import { processMark } from '../../../util/process-mark.js';

/** Does something, but only for who holds the lock, or takes it up again; and holds it for longer. */
const GUARDED = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return redis.error_reply('LOCKED ' .. owner) end
if ARGV[3] then redis.call(ARGV[3], KEYS[2], unpack(ARGV, 4)) end
if owner then redis.call('PEXPIRE', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1`;
const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

const lockKey = (prefix: string) => `${prefix}:manager`;

/** Whether somebody is the manager at a place. */
export async function isManaged(client: Redis, prefix: string): Promise<boolean> {
  return (await client.exists(lockKey(prefix))) === 1;
}

/** The right to be the manager at a place. It ends a lease after its owner has died. */
export class ManagerLock {
  readonly #client: Redis;
  readonly #key: string;
  readonly #leaseMs: number;
  readonly #name: string;
  /** Says who has it, too. */
  readonly #token = JSON.stringify({ ...processMark(), id: randomUUID() });

  /** @param name - Of the run, for messages. */
  constructor(client: Redis, prefix: string, leaseMs: number, name: string) {
    this.#name = name;
    this.#client = client;
    this.#key = lockKey(prefix);
    this.#leaseMs = leaseMs;
  }

  /** @returns who has it already; undefined when it is ours now. */
  async acquire(): Promise<string | undefined> {
    const ttl = this.#leaseMs;
    const taken = await this.#client.set(this.#key, this.#token, 'PX', ttl, 'NX');
    if (taken === 'OK') return undefined;
    const owner = await this.#client.get(this.#key);
    return owner === null ? this.acquire() : ownerIn(owner);
  }

  /** @throws {@link RunLockedError} when somebody else has it. */
  async renew(): Promise<void> {
    await this.#guarded([this.#key]);
  }

  /**
   * Changes a key.
   *
   * @throws {@link RunLockedError} when somebody else has the lock; nothing is changed then.
   */
  async write(command: string, key: string, ...args: readonly (string | number)[]): Promise<void> {
    await this.#guarded([this.#key, key], command, ...args);
  }

  /** Lets others have it. */
  async release(): Promise<void> {
    await this.#client.eval(RELEASE, 1, this.#key, this.#token);
  }

  async #guarded(keys: readonly string[], ...args: readonly (string | number)[]): Promise<void> {
    try {
      const { length } = keys;
      await this.#client.eval(GUARDED, length, ...keys, this.#token, this.#leaseMs, ...args);
    } catch (error) {
      const { message } = error as Error;
      const [, owner] = /LOCKED (\{.*\})/.exec(message) ?? [];
      if (owner === undefined) throw error;
      throw new RunLockedError(this.#name, `${ownerIn(owner)} took it over`);
    }
  }
}

/** `process 17 on host, since …`. */
function ownerIn(token: string): string {
  const { pid, host, since } = JSON.parse(token) as Record<string, unknown>;
  return `process ${pid} on ${host}, since ${since},`;
}
