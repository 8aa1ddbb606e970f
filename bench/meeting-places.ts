import { freePort } from '../test/free-port.js';
import { RedisServer } from '../test/redis-server.js';
import type { Defer } from './workload.js';

/** Makes a place where manager and workers meet, for the time of the measurement. */
export type MeetingPlace = (defer: Defer) => Promise<URL>;

/** Where the manager will listen. */
export const tcpPlace: MeetingPlace = async () => new URL(`tcp://127.0.0.1:${await freePort()}`);

/** A Redis of its own, with AOF, written as often as by default. */
export const redisPlace: MeetingPlace = async (defer) => {
  const server = await RedisServer.start('--appendfsync', 'everysec');
  defer(async () => server[Symbol.asyncDispose]());
  return server.url;
};
