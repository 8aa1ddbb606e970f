import { redisEngine } from '../../../../src/processor/distributed/redis/redis-engine.js';
import { describeWithRedis } from '../../../describe-redis.js';
import { describeEngine } from '../engine-suite.js';

/** Its lock, and until somebody looks. */
const LEASE_MS = 2000;

describeWithRedis('redis', (place) => {
  describeEngine('redis', async () => ({
    engine: redisEngine,
    url: place(),
    recoveryLeaseMs: LEASE_MS,
    recoveryMs: 1.5 * LEASE_MS + 500,
  }));
});
