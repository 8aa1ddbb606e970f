import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Doc } from '../../src/index.js';
import { ObjectId } from '../../src/index.js';
import { countWaiting, Spool, spoolFolderOf } from '../../src/reporting/spool.js';
import { pidScope } from '../../src/util/machine.js';
import { Setting } from './support.js';

const event = (v: number): Doc => ({ _id: new ObjectId(), v, at: new Date(v) });

async function contentsOf(spool: Spool | undefined, size = 100): Promise<Doc[]> {
  const docs: Doc[] = [];
  if (spool !== undefined) for await (const batch of spool.batches(size)) docs.push(...batch);
  return docs;
}

/** A process that has ended. */
const DEAD = spawnSync(process.execPath, ['-e', '']).pid;

test('a spool gives back what it took, in order, with its types', async () => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  expect(spool.isEmpty).toBe(true);
  const events = [1, 2, 3, 4, 5].map(event);
  spool.append(events.slice(0, 2));
  spool.append(events.slice(2));
  expect(await contentsOf(spool, 2)).toEqual(events);
  expect(await countWaiting(setting.spoolFolder)).toBe(5);
  spool.remove();
  expect(spool.isEmpty).toBe(true);
  expect(setting.spools).toEqual([]);
  spool.append(events);
  expect(await contentsOf(spool)).toEqual(events);
});

test('of documents with one id the last counts, in the place of the first', async () => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  const [first, second] = [event(1), event(2)];
  spool.append([first, second, { ...first, v: 3 }]);
  expect((await contentsOf(spool)).map(({ v }) => v)).toEqual([3, 2]);
});

test('only its owner can read it', () => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  spool.append([event(1)]);
  expect(statSync(spool.file).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(spool.file)).mode & 0o777).toBe(0o700);
});

test('a line that is torn is left out, and counted', async () => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  spool.append([event(1), event(2)]);
  appendFileSync(spool.file, '{"_id":{"$oid":"65');
  expect((await contentsOf(spool)).map(({ v }) => v)).toEqual([1, 2]);
  expect(spool.torn).toBe(1);
});

test('one that is let go is taken over by one alone', async () => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  spool.append([event(1)]);
  expect(Spool.takeOver(setting.spoolFolder), 'it has an owner').toEqual([]);
  spool.release();
  const takers = [1, 2, 3].map(() => Spool.takeOver(setting.spoolFolder));
  expect(takers.map(({ length }) => length)).toEqual([1, 0, 0]);
  expect((await contentsOf(takers[0]?.[0])).map(({ v }) => v)).toEqual([1]);
});

test('of many, each is taken over by one of several processes', async () => {
  using setting = new Setting();
  for (let v = 0; v < 40; v++) {
    const spool = Spool.create(setting.spoolFolder);
    spool.append([event(v)]);
    spool.release();
  }
  const script = `
    import { Spool } from ${JSON.stringify(fileURLToPath(new URL('../../build/reporting/spool.js', import.meta.url)))};
    process.stdin.once('data', () => console.log(Spool.takeOver(process.argv[1]).length));
    console.log('ready');`;
  const takers = [1, 2, 3].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', script, setting.spoolFolder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  // They live until all have said what they took: what a dead one has is free again.
  const say = async () =>
    (await Promise.all(takers.map(({ stdout }) => once(stdout, 'data')))).map(String);
  expect(await say()).toEqual(['ready\n', 'ready\n', 'ready\n']);
  for (const { stdin } of takers) stdin.write('go\n');
  const taken = (await say()).map(Number);
  for (const taker of takers) taker.kill();
  expect(taken.reduce((sum, count) => sum + count, 0)).toBe(40);
});

test.each([
  ['of a process of this machine that is gone', pidScope(), DEAD, 0, true],
  ['of a process of this machine that lives', pidScope(), process.pid, 0, false],
  ['of a process of another machine', 'another', DEAD, 0, false],
  ['of a process of another machine, not touched for an hour', 'another', DEAD, 3600, true],
  ['of a process that lives, not touched for an hour', pidScope(), process.pid, 3600, true],
] as const)('one %s, is %s %s %s s: taken over: %s', (_, scope, pid, ageS, expected) => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  spool.append([event(1)]);
  const file = path.join(setting.spoolFolder, `id.${scope}.${pid}.jsonl`);
  renameSync(spool.file, file);
  const time = Date.now() / 1000 - ageS;
  utimesSync(file, time, time);
  expect(Spool.takeOver(setting.spoolFolder)).toHaveLength(expected ? 1 : 0);
});

test('the oldest is taken over first', async () => {
  using setting = new Setting();
  for (const v of [1, 2, 3]) {
    const spool = Spool.create(setting.spoolFolder);
    spool.append([event(v)]);
    const time = Date.now() / 1000 - v;
    utimesSync(spool.file, time, time);
    spool.release();
  }
  const order: unknown[] = [];
  for (const spool of Spool.takeOver(setting.spoolFolder))
    for (const { v } of await contentsOf(spool)) order.push(v);
  expect(order).toEqual([3, 2, 1]);
});

test('what somebody else took over is nobody else’s concern', async () => {
  using setting = new Setting();
  const spool = Spool.create(setting.spoolFolder);
  spool.append([event(1)]);
  const [name = ''] = readdirSync(setting.spoolFolder);
  renameSync(spool.file, path.join(setting.folder, name));
  expect(await contentsOf(spool)).toEqual([]);
  spool.touch();
  spool.release();
  spool.remove();
});

test('other files in the folder are left alone', async () => {
  using setting = new Setting();
  mkdirSync(setting.spoolFolder);
  const file = path.join(setting.spoolFolder, 'notes.txt');
  writeFileSync(file, 'mine\n');
  chmodSync(file, 0o644);
  expect(Spool.takeOver(setting.spoolFolder)).toEqual([]);
  expect(await countWaiting(setting.spoolFolder)).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('mine\n');
});

test('each store has a folder of its own', () => {
  const [a, b] = ['mongodb:one', 'mongodb:two'].map((identity) =>
    spoolFolderOf(identity, '/spool'),
  );
  expect(a).not.toBe(b);
  expect(a).toMatch(/^\/spool\/[\da-f]{32}$/);
});
