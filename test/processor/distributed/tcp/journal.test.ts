import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunLockedError, RunStateError } from '../../../../src/errors/distributed-errors.js';
import { Journal } from '../../../../src/processor/distributed/tcp/journal.js';
import type {
  JournalEntry,
  RunHistory,
} from '../../../../src/processor/distributed/tcp/run-history.js';

const RUN = { type: 'run', v: 1, run: 'r', mark: 'm', notes: [] } as const;
const POLICY = { attempts: 3, losses: 5, backoffMs: 1000 };
const PLAN: readonly JournalEntry[] = [
  { type: 'plan', policy: POLICY, header: 'h' },
  { type: 'chunk', sealed: 'a' },
  { type: 'chunk', sealed: 'bä' },
];
const LEASE = { type: 'lease', index: 0, token: 't', worker: 'w' } as const;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-journal-'));
  file = path.join(folder, 'state', 'r.journal');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function written(...entries: readonly JournalEntry[]): Promise<void> {
  const { journal } = Journal.open(file, 'Test');
  journal.append(...entries);
  await journal.sync();
  await journal.close();
}

async function reopened(): Promise<RunHistory> {
  const { journal, history } = Journal.open(file, 'Test');
  await journal.close();
  return history;
}

test('what was written is read again, and only its owner may read it', async () => {
  await written(RUN, ...PLAN, { type: 'planned' }, LEASE);
  const { run, plan, records } = await reopened();
  expect(run).toEqual(RUN);
  expect(plan).toEqual({ policy: POLICY, header: 'h', chunks: ['a', 'bä'] });
  expect(records).toEqual([LEASE]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a line that was cut short is dropped, wherever it was cut', async () => {
  await written(RUN, ...PLAN, { type: 'planned' }, LEASE);
  const whole = readFileSync(file);
  const last = whole.subarray(0, -1).lastIndexOf('\n') + 1;
  for (const length of [last, last + 1, last + 30, whole.length - 2, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length));
    expect((await reopened()).records).toEqual([]);
    // What comes next is not appended to the rest.
    await written(LEASE);
    expect((await reopened()).records).toEqual([LEASE]);
  }
});

test('a plan that was not completed is none, and can be made anew', async () => {
  await written(RUN, ...PLAN);
  expect((await reopened()).plan).toBeUndefined();
  await written(...PLAN, { type: 'planned' });
  expect((await reopened()).plan?.chunks).toEqual(['a', 'bä']);
});

test('lines may be longer than what is read at once', async () => {
  const sealed = 'x'.repeat(3 * 2 ** 20);
  await written(RUN, ...PLAN, { type: 'chunk', sealed }, { type: 'planned' });
  expect((await reopened()).plan?.chunks).toEqual(['a', 'bä', sealed]);
});

test('damage is not taken for a line that was cut short', async () => {
  await written(RUN);
  appendFileSync(file, 'garbage\n');
  expect(() => Journal.open(file, 'Test')).toThrow(RunStateError);
  expect(() => Journal.open(file, 'Test')).toThrow(/r\.journal is damaged.*delete it/);
  writeFileSync(file, `${JSON.stringify({ ...RUN, v: 2 })}\n`);
  expect(() => Journal.open(file, 'Test')).toThrow(/has format 2, expected 1/);
});

test('nobody else can have it open; when it begins anew, nothing is left of what was', async () => {
  const { journal } = Journal.open(file, 'Test');
  expect(() => Journal.open(file, 'Test')).toThrow(RunLockedError);
  expect(() => Journal.open(file, 'Test')).toThrow(
    new RegExp(`The run of Test has a manager already: .* process ${process.pid} on`),
  );
  journal.append(RUN, ...PLAN, { type: 'planned' });
  await journal.sync();
  journal.restart({ ...RUN, notes: ['first'] });
  journal.append(LEASE);
  await journal.sync();
  await journal.close();
  const { run, plan, records } = await reopened();
  expect({ notes: run?.notes, plan, records }).toEqual({
    notes: ['first'],
    plan: undefined,
    records: [LEASE],
  });
});

test('nothing is left of a run that has ended', async () => {
  const { journal } = Journal.open(file, 'Test');
  journal.append(RUN);
  journal.remove();
  await journal.close();
  expect(existsSync(file)).toBe(false);
  expect(existsSync(`${file}.lock`)).toBe(false);
});
