import { afterAll, describe, expect, test } from 'vitest';
import { median } from '../../../bench/statistics.js';
import { formatTable } from '../../../src/cli/table.js';
import { SCALE } from '../../effort.js';
import type { Place } from './cluster.js';
import { reportsOf } from './cluster.js';
import type { Outcome } from './matrix-scene.js';
import { BAD_CHUNK, CHUNKS, Scene, SHORT_LEASE_MS } from './matrix-scene.js';
import { until } from './support.js';
import { Wire } from './tcp/places.js';

const ROUNDS = Math.max(1, Math.round(20 * SCALE));
/** Rows that are played at the same time: most of what their processes do is to wait. */
const LANES = SCALE < 1 ? 2 : 1;
const BLOCK_MS = SCALE < 1 ? 2 * SHORT_LEASE_MS : 12_000;

/** Where manager and workers meet; undefined for a free port of this machine. */
type Meeting = ({ readonly url: URL } & AsyncDisposable) | undefined;

/** One way to die. */
export interface Row<M extends Meeting = Meeting> {
  readonly dies: string;
  /** What is promised. */
  readonly promise: string;
  /** Chunks that are begun once more, at least and at most. */
  readonly again: readonly [number, number];
  /** What all processes end with. */
  readonly exits: RegExp;
  /** Chunks that are given up. */
  readonly dead?: number;
  readonly happens: (scene: Scene, meeting: M) => Promise<void>;
}

export const ALL_WELL = /^manager 0(, worker 0)+$/;
const BAD = { CHUNK_KEY: String(BAD_CHUNK) };

/** Two workers, of whom one dies in a chunk: there is always somebody to go on. */
async function lose(scene: Scene, options: object = {}) {
  scene.manager(options);
  const [victim] = [scene.worker(), scene.worker()];
  return { victim, chunk: await scene.isAtWork(victim) };
}

/** A manager that dies while a worker is in a chunk. */
export async function loseManager(scene: Scene): Promise<void> {
  const manager = scene.manager();
  await scene.isAtWork(scene.worker({ slots: 2 }));
  manager.kill();
  scene.died();
  await manager.end();
}

/** One chunk does what it should not; nobody is killed. */
const misbehaving =
  (deed: string, env: Record<string, string> = {}, stderr: Place['stderr'] = 'inherit') =>
  async (scene: Scene): Promise<void> => {
    scene.manager({ leaseMs: SHORT_LEASE_MS });
    scene.worker({ slots: 2 }, { env: { ...BAD, CHUNK_DEED: deed, ...env }, stderr });
    const first = await scene.sees('start', ({ chunk }) => chunk === BAD_CHUNK);
    scene.died(first.at);
    const isNext = ({ chunk, at }: typeof first) => chunk === BAD_CHUNK && at > first.at;
    scene.wentOn((await scene.sees(deed === 'block' ? 'write' : 'start', isNext)).at);
  };

const ROWS: readonly Row[] = [
  {
    dies: 'worker, kill -9 in a chunk',
    promise: 'its chunk starts elsewhere',
    again: [1, 1],
    exits: /^manager 0, worker SIGKILL, worker 0$/,
    async happens(scene) {
      const { victim, chunk } = await lose(scene);
      victim.kill();
      scene.died();
      await scene.startsElsewhere(chunk);
    },
  },
  {
    dies: 'worker, after writing, before it says so',
    promise: 'its chunk runs again, with the same upserts',
    again: [1, 1],
    exits: /^manager 0, worker SIGKILL, worker 0$/,
    async happens(scene) {
      scene.manager();
      const victim = scene.worker({}, { env: { CHUNK_DEED: 'end its worker' } });
      const written = await scene.sees('write', ({ ppid }) => ppid === victim.pid);
      scene.worker();
      scene.died();
      await scene.startsElsewhere(written);
      const isSame = ({ chunk, pid }: typeof written) =>
        chunk === written.chunk && pid !== written.pid;
      await scene.sees('write', isSame);
    },
  },
  {
    dies: 'chunk: throws, each time',
    promise: 'tried again, then given up; all others are done',
    again: [1, 1],
    exits: /^manager 3(, worker 0)+$/,
    dead: 1,
    happens: misbehaving('throw'),
  },
  {
    dies: 'chunk: kills its process, each time',
    promise: 'tried again, then given up; all others are done',
    again: [1, 1],
    exits: /^manager 3(, worker 0)+$/,
    dead: 1,
    happens: misbehaving('die'),
  },
  {
    dies: `chunk: blocks for ${BLOCK_MS / 1000} s, with a lease of ${SHORT_LEASE_MS / 1000} s`,
    promise: 'its worker keeps the lease; done once',
    again: [0, 0],
    exits: ALL_WELL,
    happens: misbehaving('block', { CHUNK_MS: String(BLOCK_MS) }),
  },
  {
    dies: 'chunk: eats all memory, each time',
    promise: 'tried again, then given up; all others are done',
    again: [1, 1],
    exits: /^manager 3(, worker 0)+$/,
    dead: 1,
    happens: misbehaving('eat', { NODE_OPTIONS: '--max-old-space-size=64' }, 'ignore'),
  },
  {
    dies: 'worker, stopped past its lease of 2 s, then continued',
    promise: 'done elsewhere; the late one does not write',
    again: [1, 2],
    exits: ALL_WELL,
    async happens(scene) {
      const { victim, chunk } = await lose(scene, { leaseMs: SHORT_LEASE_MS });
      victim.kill('SIGSTOP');
      scene.died();
      await scene.startsElsewhere(chunk);
      // Its process has long been waiting for the answer whether it may write.
      victim.kill('SIGCONT');
      const writes = () => scene.traces('write').filter((write) => write.chunk === chunk.chunk);
      await until('its chunk is written', 60_000, () => writes().length > 0);
      expect(writes().some(({ pid }) => pid === chunk.pid)).toBe(false);
    },
  },
  {
    dies: 'host, cut off past its lease of 2 s, then healed',
    promise: 'done elsewhere; nothing is lost',
    again: [1, 2],
    exits: ALL_WELL,
    async happens(scene) {
      const url = new URL(scene.cluster.url);
      await using wire = await Wire.to(Number(url.port));
      const manager = scene.manager({ leaseMs: SHORT_LEASE_MS });
      url.port = wire.url.port;
      const far = scene.worker({ url: url.href });
      scene.worker();
      const chunk = await scene.isAtWork(far);
      wire.block();
      scene.died();
      const { pid } = await scene.startsElsewhere(chunk);
      expect(pid).not.toBe(chunk.pid);
      wire.unblock();
      // The wire is needed until all are home.
      await manager.end(120_000);
      await far.end();
    },
  },
  {
    dies: 'manager, kill -9, and back',
    promise: 'goes on: 0 chunks run again, none is planned again',
    again: [0, 0],
    exits: /^manager SIGKILL, worker 0, manager 0$/,
    async happens(scene) {
      await loseManager(scene);
      const second = scene.manager();
      const isBack = (line: string) => line.includes(' joined, ');
      await until('a worker is back', 60_000, () => second.logged.some(isBack));
      scene.wentOn();
      await scene.sees('finalize');
      expect(scene.traces('prechunk')).toHaveLength(1);
    },
  },
  {
    dies: 'manager, kill -9 while it plans',
    promise: 'planned anew: each key is built',
    again: [0, 0],
    exits: /^manager SIGKILL, worker 0, manager 0$/,
    async happens(scene) {
      const first = scene.manager({}, { PRECHUNK_MS: '200' });
      scene.worker();
      await until('half of the plan is there', 60_000, () => scene.traces('cut').length >= 3);
      first.kill();
      scene.died();
      await first.end();
      scene.manager();
      scene.wentOn((await scene.sees('start')).at);
      expect(scene.traces('prechunk').length).toBe(2);
      expect(scene.traces('cut').length).toBeLessThan(2 * CHUNKS);
    },
  },
];

/** An engine, and what it has of its own. */
interface Matrix<M extends Meeting> {
  readonly name: string;
  /** A place that nobody else uses. */
  readonly meet: () => Promise<M>;
  /** The lease, if not said otherwise. */
  readonly leaseMs: number;
  readonly rows: readonly Row<M>[];
}

/** Nobody is left, so that the build ends; the next one does the rest. */
const NOBODY_LEFT: Row = {
  dies: 'all workers, kill -9; nobody comes',
  promise: 'ends with exit 1 after the time limit of 5 s; the next run does the rest',
  again: [0, 1],
  exits: /^manager 1, worker SIGKILL, manager 0, worker 0$/,
  async happens(scene) {
    const manager = scene.manager({ workerTimeoutMs: 5000, leaseMs: SHORT_LEASE_MS });
    const worker = scene.worker();
    await scene.isAtWork(worker);
    worker.kill();
    scene.died();
    expect(await reportsOf(manager)).toMatchObject([
      { status: 'failed', error: { code: 'NO_WORKERS' } },
    ]);
    scene.wentOn();
    scene.manager();
    scene.worker();
  },
};

/** What holds whatever dies, with processes that really die; prints a table. */
export function describeMatrix<M extends Meeting>(matrix: Matrix<M>): void {
  const { name, meet, leaseMs } = matrix;
  const rows: readonly Row<M>[] = [...ROWS, ...matrix.rows, NOBODY_LEFT];
  const table = new Map<Row<M>, Outcome[]>(rows.map((row) => [row, []]));

  async function play(row: Row<M>): Promise<void> {
    await using meeting = await meet();
    await using scene = await Scene.open(meeting?.url, leaseMs);
    await row.happens(scene, meeting);
    const outcome = await scene.outcome();
    table.get(row)?.push(outcome);
    expect(outcome).toMatchObject({
      ...{ missing: 0, doubled: 0, dead: row.dead ?? 0 },
      exits: expect.stringMatching(row.exits),
    });
    const [least, most] = row.again;
    expect(outcome.again).toBeGreaterThanOrEqual(least);
    expect(outcome.again).toBeLessThanOrEqual(most);
  }

  describe(`${name}: what dies, and what happens then`, () => {
    for (let lane = 0; lane < LANES; lane++)
      describe(`lane ${lane}`, { concurrent: true }, () => {
        for (const row of rows.filter((_, i) => i % LANES === lane))
          test.sequential(
            `${row.dies}: ${row.promise}`,
            async () => {
              for (let round = 0; round < ROUNDS; round++) await play(row);
            },
            ROUNDS * 60_000 + 60_000,
          );
      });

    afterAll(() => console.log(`${name}, leases of ${leaseMs / 1000} s\n${format(table)}`));
  });
}

function format(table: ReadonlyMap<{ dies: string }, readonly Outcome[]>): string {
  const heading = ['dies', 'runs', 's', 'at most', 'again', 'dead', 'missing', 'doubled', 'exit'];
  const rows = [...table].map(([{ dies }, outcomes]) => {
    const seconds = outcomes.map((outcome) => outcome.seconds);
    const sum = (of: 'again' | 'dead' | 'missing' | 'doubled') =>
      String(outcomes.reduce((total, outcome) => total + outcome[of], 0));
    return [
      ...[dies, String(outcomes.length)],
      ...[median(seconds).toFixed(1), Math.max(...seconds).toFixed(1)],
      ...[sum('again'), sum('dead'), sum('missing'), sum('doubled')],
      [...new Set(outcomes.map(({ exits }) => exits))].join(' | '),
    ];
  });
  return formatTable([heading, ...rows]);
}
