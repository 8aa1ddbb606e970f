import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { describeRedis } from '../../../describe-redis.js';
import { RedisServer } from '../../../redis-server.js';
import type { Program } from '../cluster.js';
import type { Row } from '../matrix.js';
import { ALL_WELL, describeMatrix, loseManager } from '../matrix.js';
import type { Scene } from '../matrix-scene.js';
import { CHUNKS } from '../matrix-scene.js';
import { until } from '../support.js';

/** A killed worker's chunk starts again when its lock has run out, and somebody looks: within one and a half of these. */
const LEASE_MS = 3000;

/** Two managers, of whom one stands by, and then a worker. */
async function standBy(scene: Scene) {
  const managers = [scene.manager(), scene.manager()] as const;
  const isIdle = (manager: Program) => manager.logged.some((line) => line.includes(' stands by: '));
  await until('a manager stands by', 60_000, () => managers.some(isIdle));
  const [first, second] = isIdle(managers[1]) ? managers : [managers[1], managers[0]];
  return { first, second, worker: scene.worker({ slots: 2 }) };
}

/** The broker has forgotten all it knew. */
const forgetting =
  (forget: (server: RedisServer) => Promise<unknown>) =>
  async (scene: Scene, server: RedisServer): Promise<void> => {
    const manager = scene.manager();
    scene.worker({ slots: 2 });
    await scene.sees('write');
    scene.died();
    await forget(server);
    const isNoticed = (line: string) => line.includes('lost the run: stage 0 is begun again');
    await until('it is noticed', 60_000, () => manager.logged.some(isNoticed));
    await scene.goesOn();
    await scene.sees('finalize');
    expect(scene.traces('prechunk')).toHaveLength(1);
  };

const BEGUN_AGAIN: Pick<Row, 'promise' | 'again' | 'exits'> = {
  promise: 'noticed: the stage is begun again with its plan',
  // What was begun is begun again, once.
  again: [1, CHUNKS],
  exits: ALL_WELL,
};

const ROWS: readonly Row<RedisServer>[] = [
  {
    dies: 'manager, kill -9, and back when all is done',
    promise: 'workers go on meanwhile: 0 chunks run again, none is planned again',
    again: [0, 0],
    exits: /^manager SIGKILL, worker 0, manager 0$/,
    async happens(scene) {
      await loseManager(scene);
      await scene.goesOn();
      await until('all is built', 60_000, () => scene.traces('write').length === CHUNKS);
      scene.manager();
      await scene.sees('finalize');
      expect(scene.traces('prechunk')).toHaveLength(1);
    },
  },
  {
    dies: 'manager, kill -9, while another one stands by',
    promise: 'the other one goes on: 0 chunks run again, none is planned again',
    again: [0, 0],
    exits: /^(?:manager SIGKILL, manager 0|manager 0, manager SIGKILL), worker 0$/,
    async happens(scene) {
      const { first, second, worker } = await standBy(scene);
      await scene.isAtWork(worker);
      first.kill();
      scene.died();
      const hasTakenOver = (line: string) => line.includes('Goes on with a run');
      await until('it takes over', 60_000, () => second.logged.some(hasTakenOver));
      scene.wentOn();
      await scene.sees('finalize');
      expect(scene.traces('prechunk')).toHaveLength(1);
    },
  },
  {
    dies: 'nobody, but a second manager comes',
    promise: 'it stands by until the first has ended; then there is nothing to do',
    again: [0, 0],
    exits: /^manager 0, manager 0, worker 0$/,
    async happens(scene) {
      const { second } = await standBy(scene);
      scene.died((await scene.sees('finalize')).at);
      const { pid } = second;
      scene.wentOn((await scene.sees('prechunk', (trace) => trace.pid === pid)).at);
      expect(await second.end()).toMatchObject({ reports: [{ status: 'succeeded', total: 0 }] });
    },
  },
  {
    dies: 'broker, kill -9, and back with its AOF',
    promise: 'goes on: 0 chunks run again',
    again: [0, 0],
    exits: ALL_WELL,
    async happens(scene, server) {
      scene.manager();
      await scene.isAtWork(scene.worker({ slots: 2 }));
      scene.died();
      await server.kill();
      await server.start();
      await scene.goesOn();
    },
  },
  {
    dies: 'broker: FLUSHALL',
    ...BEGUN_AGAIN,
    happens: forgetting((server) => server.ask((redis) => redis.flushall())),
  },
  {
    dies: 'broker, kill -9, and back without its disk',
    ...BEGUN_AGAIN,
    happens: forgetting(async (server) => {
      await server.kill();
      for (const name of readdirSync(server.folder))
        rmSync(path.join(server.folder, name), { recursive: true });
      await server.start();
    }),
  },
];

describeRedis('by way of a Redis', () => {
  describeMatrix({
    name: 'redis',
    meet: () => RedisServer.start(),
    leaseMs: LEASE_MS,
    rows: ROWS,
  });
});
