import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { RedisServer } from './redis-server.js';

/** A Redis with AOF, for tests that do nothing to it; empty when they are to start one. */
const REDIS_URL = process.env['REDIS_URL'] ?? '';
const hasServer = spawnSync('redis-server', ['--version']).status === 0;

/**
 * A group of tests that needs a `redis-server` on the PATH, because it kills it or sets it up in its own way: skipped, and
 * that loudly, where there is none; with `MAGGMA_REQUIRE_REDIS=1` that is an error.
 */
export function describeRedis(name: string, tests: () => void): void {
  if (hasServer) describe(name, tests);
  else {
    const problem = `there is no redis-server on the PATH: ${name}`;
    if (process.env['MAGGMA_REQUIRE_REDIS'] === '1') throw new RangeError(problem);
    console.warn(`\n!!! SKIPPED, because ${problem}\n`);
    describe.skip(name, tests);
  }
}

/** As {@link describeRedis}, with a place in a Redis that nobody else uses: in that of `REDIS_URL` if that is set. */
export function describeWithRedis(name: string, tests: (place: () => URL) => void): void {
  const unique = (url: URL) => new URL(`?queue=${randomBytes(6).toString('hex')}`, url);
  if (REDIS_URL !== '') {
    describe(name, () => tests(() => unique(new URL(REDIS_URL))));
    return;
  }
  describeRedis(name, () => {
    let server: RedisServer | undefined;
    beforeAll(async () => {
      server = await RedisServer.start();
    });
    afterAll(() => server?.[Symbol.asyncDispose]());
    tests(() => unique((server as RedisServer).url));
  });
}
