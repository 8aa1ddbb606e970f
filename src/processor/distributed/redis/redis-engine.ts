import type { DistributedEngine } from '../engine.js';
import { RedisManagerSession } from './manager-session.js';
import { RedisWorkerSession } from './worker-session.js';

/** Manager and workers meet in a Redis, where the run is remembered: BullMQ hands out the chunks. */
export const redisEngine: DistributedEngine = {
  schemes: ['redis', 'rediss'],
  manager: (options) => RedisManagerSession.open(options),
  worker: (options) => RedisWorkerSession.connect(options),
};
