import { answered, bullmq } from './bare-variants.js';
import {
  distributed,
  drained,
  oneByOne,
  restarted,
  WORKERS,
  waits,
} from './distributed-variants.js';
import { redisPlace, tcpPlace } from './meeting-places.js';
import { startWorkersApart } from './simulated-workers.js';
import type { Workload } from './workload.js';

const LINES = 'a line each way over as many bare connections';
const REDIS = { needsCommand: 'redis-server' };
const BULLMQ = 'BullMQ used bare, with as many workers';

const ideal = {
  title: `20 chunks of 1 s on ${WORKERS} workers, start of their processes included`,
  sizes: [20],
  rounds: 3,
  floor: waits((numChunks) => (numChunks / WORKERS) * 1000),
  floorName: 'the ideal: 5 s',
  target: 1.15,
  targetExponent: 1,
};
const empty = {
  title: `empty chunks on ${WORKERS} workers, start of their processes included`,
  sizes: [400, 4000],
  rounds: 3,
  floor: oneByOne(0),
  floorName: 'a SerialProcessor for each, one after the other',
  target: 10,
  targetExponent: 1,
};
const dispatch = {
  title: 'chunks planned and drained by 100 simulated workers in one process',
  sizes: [10_000, 100_000],
  rounds: 3,
  targetExponent: 1.1,
};
const crowd = {
  title:
    'the same with 1000 simulated workers in another process: the memory is that of the manager',
  sizes: [100_000],
  rounds: 1,
  targetExponent: 1.1,
};
const restart = {
  title: 'from a killed worker process to the start of its chunk in another one',
  sizes: [1],
  rounds: 3,
  target: 1,
  targetExponent: 1,
};

export const DISTRIBUTED_WORKLOADS: Readonly<Record<string, Workload>> = {
  'tcp-20x1s': { ...ideal, ours: distributed(tcpPlace, 1000) },
  'tcp-empty': { ...empty, ours: distributed(tcpPlace, 0) },
  'tcp-dispatch': {
    ...dispatch,
    ours: drained(tcpPlace, 100),
    floor: answered(100),
    floorName: LINES,
    target: 10,
  },
  'tcp-1000-workers': {
    ...crowd,
    ours: drained(tcpPlace, 1000, startWorkersApart),
    floor: answered(1000),
    floorName: LINES,
    target: 10,
  },
  'tcp-restart': {
    ...restart,
    ours: restarted(tcpPlace),
    floor: waits(() => 3000),
    floorName: 'the promise: 3 s',
  },
  'redis-20x1s': { ...REDIS, ...ideal, ours: distributed(redisPlace, 1000) },
  'redis-empty': { ...REDIS, ...empty, ours: distributed(redisPlace, 0) },
  'redis-dispatch': {
    ...REDIS,
    ...dispatch,
    ours: drained(redisPlace, 100),
    floor: bullmq(100),
    floorName: BULLMQ,
    target: 5,
  },
  'redis-1000-workers': {
    ...REDIS,
    ...crowd,
    ours: drained(redisPlace, 1000, startWorkersApart),
    floor: bullmq(1000, startWorkersApart),
    floorName: BULLMQ,
    target: 5,
  },
  'redis-restart': {
    ...REDIS,
    ...restart,
    ours: restarted(redisPlace),
    floor: waits(() => 23_000),
    floorName: 'the promise: one and a half leases, 23 s',
  },
};
