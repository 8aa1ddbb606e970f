// Runs one variant of one workload in a process of its own and prints what it took.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WORKLOADS } from './workloads.js';

const [name = '', variant, size] = process.argv.slice(2);
const workload = WORKLOADS[name];
if (workload === undefined || (variant !== 'ours' && variant !== 'floor'))
  throw new RangeError(`measure: unknown workload ${name} ${variant}`);

const cleanUps: (() => Promise<unknown>)[] = [];
const folder = await mkdtemp(path.join(tmpdir(), 'maggma-bench-'));
try {
  const measured = await workload[variant](Number(size), folder, (cleanUp) =>
    cleanUps.push(cleanUp),
  );
  const started = performance.now();
  await measured();
  const ms = performance.now() - started;
  // maxRSS is in kilobytes.
  console.log(JSON.stringify({ ms, peakMb: process.resourceUsage().maxRSS / 1024 }));
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  await rm(folder, { recursive: true });
}
