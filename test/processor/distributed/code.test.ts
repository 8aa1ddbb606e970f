import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { Step } from './cluster.js';
import { Cluster, reportsOf, workerReportOf } from './cluster.js';

const INDEX = new URL('../../../dist/index.js', import.meta.url).href;
const SCRIPT = `
import { MapBuilder, MSONable, SQLiteStore } from '${INDEX}';
export class Doubler extends MapBuilder {
  unaryFunction({ a }) { return { a: 2 * a }; }
}
MSONable(import.meta.url)(Doubler);
export function buildersOf(file, [[from, to]]) {
  const store = (name) => new SQLiteStore(file, name, { key: 'k' });
  return [new Doubler(store(from), store(to))];
}`;

const STEPS: Step[] = [['a', 'b']];

test('two terminals in the folder of a script: it works; anywhere else, the worker says what it lacks', async () => {
  await using cluster = await Cluster.open();
  const { shop } = cluster;
  const [cwd, other] = [shop.file('project'), shop.file('other')];
  mkdirSync(cwd);
  const file = path.join(cwd, 'doubler.mjs');
  writeFileSync(file, SCRIPT);
  await shop.store('a', [{ k: 1, a: 1 }]);
  const module = pathToFileURL(file).href;
  const manager = () => cluster.manager(STEPS, { numChunks: 1 }, { cwd, module });

  const first = manager();
  expect(await cluster.worker({}, { cwd: shop.folder }).end()).toMatchObject({
    error: {
      code: 'UNFIT_WORKER',
      message: expect.stringMatching(/lacks \.\/doubler\.mjs \([0-9a-f]{16}\), seen from/),
    },
  });
  cpSync(cwd, other, { recursive: true });
  appendFileSync(path.join(other, 'doubler.mjs'), '\n// newer');
  expect(await cluster.worker({}, { cwd: other }).end()).toMatchObject({
    error: { message: expect.stringMatching(/another \.\/doubler\.mjs.*at the manager/) },
  });
  const worker = cluster.worker({}, { cwd });
  expect(await reportsOf(first)).toMatchObject([{ succeeded: 1, failed: 0 }]);
  expect(await workerReportOf(worker)).toMatchObject({ done: 1, failed: 0 });
  expect(first.logged.join('\n')).toMatch(/DistributedWorker error: This worker lacks/);

  await (await shop.store('b')).removeDocs({});
  const second = manager();
  const allowed = cluster.worker({ allow: [cwd] }, { cwd: shop.folder });
  expect(await reportsOf(second)).toMatchObject([{ succeeded: 1, failed: 0 }]);
  expect(await workerReportOf(allowed)).toMatchObject({ done: 1 });

  // Workers could not name it by a path below their own folder.
  const outside = cluster.manager(STEPS, { numChunks: 1 }, { cwd: other, module });
  expect(await outside.end()).toMatchObject({
    error: { code: 'INVALID_BUILDER', message: expect.stringMatching(/\.\.\/project\/doubler/) },
  });
}, 300_000);
