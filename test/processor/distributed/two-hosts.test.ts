import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../../src/util/is-alive.js';
import { describeRedis } from '../../describe-redis.js';
import { freePort } from '../../free-port.js';
import { RedisServer } from '../../redis-server.js';
import { ALL_WELL } from './matrix.js';
import { BAD_CHUNK, Scene } from './matrix-scene.js';
import { until } from './support.js';

const LEASE_MS = 3000;

const IP = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'].find(existsSync) ?? 'ip';
const ip = (line: string) => execFileSync(IP, line.split(' '), { stdio: 'pipe' });

/** A second host: a network namespace, and the link to it. */
class SecondHost implements Disposable {
  readonly #name = `maggma-${randomBytes(4).toString('hex')}`;
  readonly #plug = `mg${randomBytes(4).toString('hex')}`;
  /** The address of this host, as the other one sees it. */
  readonly address: string;

  constructor() {
    // Of the range that is kept for tests of networks, four for each.
    const first = 4 * randomInt(2 ** 15);
    const at = (n: number) =>
      `198.${18 + (first >> 16)}.${(first >> 8) & 255}.${(first & 255) + n}`;
    this.address = at(1);
    ip(`netns add ${this.#name}`);
    try {
      ip(`link add ${this.#plug} type veth peer name eth0 netns ${this.#name}`);
      ip(`addr add ${at(1)}/30 dev ${this.#plug}`);
      ip(`link set ${this.#plug} up`);
      ip(`-n ${this.#name} addr add ${at(2)}/30 dev eth0`);
      ip(`-n ${this.#name} link set eth0 up`);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The command that starts something there. */
  get via(): string[] {
    return [IP, 'netns', 'exec', this.#name];
  }

  unplug(): void {
    ip(`link set ${this.#plug} down`);
  }

  plug(): void {
    ip(`link set ${this.#plug} up`);
  }

  [Symbol.dispose](): void {
    ip(`netns del ${this.#name}`);
  }
}

/** Why there can be no second host; undefined when there can. */
function findObstacle(): string | undefined {
  try {
    new SecondHost()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const obstacle = findObstacle();
if (obstacle !== undefined)
  console.warn(`\n!!! SKIPPED, because there can be no network namespaces: ${obstacle}\n`);

/** A worker on the other host is cut off past its lease, and comes back. */
async function cutOff(host: SecondHost, url: URL): Promise<void> {
  await using scene = await Scene.open(url, LEASE_MS);
  const mayEnd = scene.cluster.shop.file('may-end');
  const manager = scene.manager({}, { FINALIZE_AFTER: mayEnd });
  // One of its chunks lasts longer than any lease.
  const env = { CHUNK_DEED: 'block', CHUNK_KEY: `${BAD_CHUNK}`, CHUNK_MS: '300000' };
  scene.worker({}, { via: host.via, env });
  const chunk = await scene.sees('start', (start) => start.chunk === BAD_CHUNK);
  await scene.isAtWork(scene.worker());
  host.unplug();
  scene.died();
  await scene.startsElsewhere(chunk);
  await scene.sees('finalize');
  const told = (what: string) => manager.logged.filter((line) => line.includes(what)).length;
  expect(told('warning: Chunk 2 of TracedBuilder is tried again')).toBe(1);
  const joined = told(' joined, ');
  // Nobody has told it.
  expect(isAlive(chunk.pid)).toBe(true);
  host.plug();
  await until('the other host hears that its chunk was lost', 60_000, () => !isAlive(chunk.pid));
  await until('it is told that it is back', 60_000, () => told(' joined, ') > joined);
  writeFileSync(mayEnd, '');
  const outcome = await scene.outcome();
  console.log(`${url.protocol} its chunk started elsewhere after ${outcome.seconds} s`);
  expect(outcome).toMatchObject({ again: 1, missing: 0, doubled: 0, dead: 0 });
  expect(outcome.exits).toMatch(ALL_WELL);
}

describe.skipIf(obstacle !== undefined)('a host that is cut off, and comes back', () => {
  test('over tcp: its chunk is done elsewhere, and nothing is lost', async () => {
    using host = new SecondHost();
    await cutOff(host, new URL(`tcp://${host.address}:${await freePort()}`));
  });

  describeRedis('by way of a Redis', () => {
    test('over redis: its chunk is done elsewhere, and nothing is lost', async () => {
      using host = new SecondHost();
      const bind = ['--bind', '127.0.0.1', host.address, '--protected-mode', 'no'];
      await using server = await RedisServer.start(...bind);
      await cutOff(host, new URL(`redis://${host.address}:${server.port}?allowInsecure`));
    });
  });
});
