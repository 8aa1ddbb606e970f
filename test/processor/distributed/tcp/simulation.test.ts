import { expect, test } from 'vitest';
import { LeaseTable } from '../../../../src/processor/distributed/tcp/lease-table.js';
import { timingsFor } from '../../../../src/processor/distributed/tcp/timings.js';
import { WorkerLeases } from '../../../../src/processor/distributed/tcp/worker-leases.js';
import { SCALE, SEED } from '../../../effort.js';
import type { SimulationStats } from './simulation.js';
import { Simulation } from './simulation.js';

const SEEDS = Math.round(10_000 * SCALE);
const machines = { LeaseTable, WorkerLeases, timingsFor };

test(`${SEEDS} runs over bad networks, with processes that die, end with every chunk counted once`, () => {
  const stats: SimulationStats[] = [];
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    try {
      stats.push(new Simulation(seed, machines).run());
    } catch (error) {
      throw new RangeError(`TEST_SEED=${seed}: ${String(error)}`, { cause: error });
    }
  }
  const sum = (of: keyof SimulationStats) => stats.reduce((total, each) => total + each[of], 0);
  const hours = Math.round(sum('virtualMs') / 3_600_000);
  console.log(
    `${SEEDS} seeds from ${SEED}: ${sum('chunks')} chunks (${sum('dead')} dead) in ${sum('starts')} starts, ${sum('faults')} faults, ${hours} virtual hours, 0 violations`,
  );
  expect(stats).toHaveLength(SEEDS);
}, 600_000);
