// Prints how fast the library is, as ratios to the least that does the same work.
//
//   npm run bench                 all workloads
//   npm run bench -- noop json-load
//   npm run bench -- --json       for machines
//   npm run bench -- --rounds 1   a first look
//
// The workloads mongo-… need a server, which MONGODB_URI names; redis-… start a redis-server.
//
// Each measurement is a fresh process; the two sides of a comparison take turns.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { exponent, median } from './statistics.js';
import type { CommandWorkload, Workload } from './workload.js';
import { COMMANDS, WORKLOADS } from './workloads.js';

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  allowPositionals: true,
});
const roundsOf = (workload?: Workload): number => Number(values.rounds ?? workload?.rounds ?? 5);

const MEASURE = new URL('./measure.ts', import.meta.url).pathname;
const run = promisify(execFile);

interface Row {
  readonly workload: string;
  readonly size: string;
  readonly ours: string;
  /** Of ours. */
  readonly rate: string;
  readonly floor: string;
  readonly figure: string;
  readonly target: string;
  readonly good: boolean;
  readonly note: string;
}

interface Sample {
  readonly ms: number;
  readonly peakMb: number;
}

async function sample(name: string, variant: string, size: number): Promise<Sample> {
  const args = ['--import', 'tsx', MEASURE, name, variant, String(size)];
  return JSON.parse((await run(process.execPath, args)).stdout) as Sample;
}

const times = (samples: readonly Sample[]): string => {
  const ms = samples.map((s) => s.ms);
  const peak = Math.max(...samples.map((s) => s.peakMb));
  return `${Math.min(...ms).toFixed(0)} / ${median(ms).toFixed(0)} ms, ${peak.toFixed(0)} MB`;
};

async function compare(name: string, workload: Workload): Promise<Row[]> {
  const rows: Row[] = [];
  const medians: [number, number][] = [];
  for (const size of workload.sizes) {
    const ours: Sample[] = [];
    const floor: Sample[] = [];
    for (let round = 0; round < roundsOf(workload); round++) {
      ours.push(await sample(name, 'ours', size));
      floor.push(await sample(name, 'floor', size));
    }
    const ratio = median(ours.map((s, i) => s.ms / (floor[i]?.ms ?? Number.NaN)));
    medians.push([size, median(ours.map((s) => s.ms))]);
    rows.push({
      workload: name,
      size: String(size),
      ours: times(ours),
      rate: `${Math.round((1000 * size) / median(ours.map((s) => s.ms)))}/s`,
      floor: times(floor),
      figure: `${ratio.toFixed(2)} ×`,
      target: `≤ ${workload.target} ×`,
      good: ratio <= workload.target,
      note: `${workload.title}; floor: ${workload.floorName}`,
    });
  }
  const [first, last] = [medians[0], medians.at(-1)];
  if (first && last && first !== last) {
    const growth = exponent(first, last);
    rows.push({
      workload: name,
      size: `${first[0]} → ${last[0]}`,
      ours: '',
      rate: '',
      floor: '',
      figure: `n^${growth.toFixed(2)}`,
      target: `≤ n^${workload.targetExponent}`,
      good: growth <= workload.targetExponent,
      note: 'growth',
    });
  }
  return rows;
}

function wallMs(args: readonly string[], cwd: string): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd });
  if (status !== 0) throw new RangeError(`node ${args.join(' ')} failed: ${stderr}`);
  return performance.now() - started;
}

async function compareCommands(name: string, workload: CommandWorkload): Promise<Row[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'maggma-bench-'));
  try {
    await workload.prepare(folder);
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 0; round < 2 * roundsOf(); round++) {
      ours.push(wallMs(workload.args, folder));
      floor.push(wallMs(workload.floorArgs, folder));
    }
    const extra = median(ours.map((ms, i) => ms - (floor[i] ?? Number.NaN)));
    const ratio = median(ours) / median(floor);
    const show = (ms: number[]) => `${Math.min(...ms).toFixed(0)} / ${median(ms).toFixed(0)} ms`;
    return [
      {
        workload: name,
        size: '',
        ours: show(ours),
        rate: '',
        floor: show(floor),
        figure: `+${extra.toFixed(0)} ms, ${ratio.toFixed(2)} ×`,
        target: `≤ +${workload.targetExtraMs} ms`,
        good: extra <= workload.targetExtraMs,
        note: `${workload.title}; floor: ${workload.floorName}`,
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function print(rows: readonly Row[]): void {
  const columns = [
    'workload',
    'size',
    'ours',
    'rate',
    'floor',
    'figure',
    'target',
    'good',
  ] as const;
  const cells = rows.map((row) =>
    columns.map((column) => (column === 'good' ? (row.good ? 'yes' : 'NO') : row[column])),
  );
  const table = [columns as readonly string[], ...cells];
  const widths = columns.map((_, i) => Math.max(...table.map((line) => line[i]?.length ?? 0)));
  for (const line of table)
    console.log(
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  console.log('\nours and floor: minimum / median, peak memory; rate: of ours, by the median');
  const notes = new Map(
    rows.filter(({ note }) => note !== 'growth').map((r) => [r.workload, r.note]),
  );
  for (const [workload, note] of notes) console.log(`${workload}: ${note}`);
}

const known = [...Object.keys(WORKLOADS), ...Object.keys(COMMANDS)];
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown workload ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}
/** What a workload needs and the environment lacks. */
const missing = (name: string): string | undefined => {
  const { needs, needsCommand } = WORKLOADS[name] ?? {};
  if (needs !== undefined && !process.env[needs]) return `${needs} names no server`;
  if (needsCommand !== undefined && spawnSync(needsCommand, ['--version']).status !== 0)
    return `there is no ${needsCommand} on the PATH`;
  return undefined;
};
const impossible = positionals.filter((name) => missing(name) !== undefined);
if (impossible.length > 0) {
  for (const name of impossible) console.error(`${name} cannot run: ${missing(name)}`);
  process.exit(2);
}
const names = positionals.length > 0 ? positionals : known.filter((name) => !missing(name));
if (positionals.length === 0)
  for (const name of known)
    if (missing(name)) console.error(`${name} is left out: ${missing(name)}`);
const rows: Row[] = [];
for (const name of names) {
  const [workload, command] = [WORKLOADS[name], COMMANDS[name]];
  if (workload) rows.push(...(await compare(name, workload)));
  if (command) rows.push(...(await compareCommands(name, command)));
}
if (values.json) console.log(JSON.stringify(rows, null, 2));
else print(rows);
