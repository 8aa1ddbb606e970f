import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Machines } from './simulation.js';
import { Simulation } from './simulation.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const SEEDS = 1500;

/** Mistakes that somebody could make in the compiled machines: what is written there, and what is written instead. */
const MISTAKES: readonly (readonly [
  mistake: string,
  file: string,
  text: string,
  instead: string,
])[] = [
  [
    'a heartbeat does not renew',
    'stage-leases.js',
    'lease.deadline = now + this.#context.timings.leaseMs;',
    '',
  ],
  ['a repeated DONE is counted again', 'stage-leases.js', 'ledger.isOver(index)', 'false'],
  [
    'done is not written down',
    'stage-leases.js',
    'this.#context.effects.record(record);',
    "if (record.type !== 'done') this.#context.effects.record(record);",
  ],
  [
    'leases are not written down',
    'stage-leases.js',
    'this.#context.effects.record(record);',
    "if (record.type !== 'lease') this.#context.effects.record(record);",
  ],
  ['what is promised is not yet durable', 'table-effect.js', 'isPromise: true', 'isPromise: false'],
  [
    'a closed socket does not shorten leases',
    'stage-leases.js',
    'lease.deadline = Math.min(lease.deadline, now + this.#context.timings.closedMs);',
    '{}',
  ],
  [
    'what never arrived is not given back',
    'stage-leases.js',
    "this.#commit({ type: 'back', index: lease.index }, now);",
    '{}',
  ],
  ['a manager that was stopped blames others', 'lease-table.js', 'this.#postpone(away);', '{}'],
  [
    'DONE is refused when the lease is over',
    'stage-leases.js',
    'ledger.isOver(index)',
    '!ledger.lease(token)',
  ],
  [
    'leases end early',
    'stage-leases.js',
    'lease.deadline <= now',
    'lease.deadline - 14_000 <= now',
  ],
  [
    'an old worker of the same name keeps its socket',
    'lease-table.js',
    'this.#close(known.connection, now);',
    '{}',
  ],
  ['losses are not counted', 'chunk-ledger.js', 'chunk.losses++;\n                this', 'this'],
  ['failures are not counted', 'stage-leases.js', 'failures >=', '1 >'],
  ['who waits for its next try is forgotten', 'chunk-ledger.js', 'this.#waiting.push(index);', ''],
  ['what is done by now is tried again', 'chunk-ledger.js', "=== 'waiting'", "!== 'none'"],
  ['DONE is said once', 'worker-leases.js', 'now - lease.saidAt >= repeatMs', 'false'],
  ['chunks that nobody waits for are started', 'worker-leases.js', 'this.#wanted > 0', 'true'],
  [
    'a lease is certain for as long as it lasts',
    'worker-leases.js',
    'beat.sentAt + this.#timings.closedMs',
    'beat.sentAt + this.#timings.leaseMs',
  ],
  ['what is lost is not heard in a heartbeat', 'worker-leases.js', 'lost.has(token)', 'false'],
  ['a silent manager is waited for', 'worker-leases.js', 'now - this.#heardAt >= leaseMs', 'false'],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-mistakes-'));
  const build = path.join(folder, 'build');
  cpSync(path.join(ROOT, 'build'), build, { recursive: true });
  for (const file of readdirSync(build, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js')) continue;
    const code = readFileSync(path.join(build, file), 'utf8');
    // The sources are not there.
    writeFileSync(path.join(build, file), code.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  }
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The machines as compiled, with a mistake. */
async function machinesWith(name: string, file: string, text: string, instead: string) {
  const original = path.join(folder, 'build/processor/distributed/tcp');
  const copy = path.join(folder, 'build/processor/distributed', name);
  mkdirSync(copy);
  cpSync(original, copy, { recursive: true });
  const code = readFileSync(path.join(copy, file), 'utf8');
  expect(code.split(text), `${file} has "${text}" once`).toHaveLength(2);
  writeFileSync(path.join(copy, file), code.replace(text, instead));
  const load = (module: string) => import(pathToFileURL(path.join(copy, module)).href);
  const { LeaseTable } = await load('lease-table.js');
  const { WorkerLeases } = await load('worker-leases.js');
  const { timingsFor } = await load('timings.js');
  return { LeaseTable, WorkerLeases, timingsFor } as Machines;
}

/** What the first run finds that finds something. */
function firstViolation(machines: Machines): string | undefined {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      new Simulation(seed, machines).run();
    } catch (error) {
      return `seed ${seed}: ${String(error)}`;
    }
  }
  return undefined;
}

test.each(MISTAKES.map((mistake, n) => [...mistake, n] as const))(
  'the simulation finds out that %s',
  async (mistake, file, text, instead, n) => {
    const found = firstViolation(await machinesWith(`mistake-${n}`, file, text, instead));
    console.log(`${mistake}: ${found}`);
    expect(found).toBeDefined();
  },
);
