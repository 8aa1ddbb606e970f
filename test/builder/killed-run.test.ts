import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Doc } from 'maggma';
import { SQLiteStore } from 'maggma';
import { expect, test } from 'vitest';
import { SCALE, SEED } from '../effort.js';
import { contents } from '../fixtures/stores.js';

const SCRIPT = fileURLToPath(new URL('../fixtures/killed-run.mjs', import.meta.url));
const ROUNDS = SCALE >= 1 ? Math.round(200 * SCALE) : 5;
const DOCS = 1500;

/** A run in a process of its own; killed so many milliseconds after it began, or left alone. */
function run(file: string, killAfterMs: number | null): Promise<{ total: number } | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SCRIPT, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '' && killAfterMs !== null)
        setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const [, report] = output.split('\n');
      if (code === 0 && report) resolve(JSON.parse(report) as { total: number });
      else if (signal === 'SIGKILL') resolve(null);
      else reject(new RangeError(`the run ended with code ${code}`));
    });
  });
}

test(`a run that was killed is finished by the next one, ${ROUNDS} times`, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'maggma-killed-'));
  // The same moments and edits for the same seed.
  let state = SEED;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  let killed = 0;
  let resumed = 0;
  try {
    const file = path.join(folder, 'builds.db');
    await using source = new SQLiteStore(file, 'source', { key: 'k' });
    await using target = new SQLiteStore(file, 'target', { key: 'k' });
    await source.connect();
    await target.connect();
    let clock = 1_600_000_000_000;
    const put = (ks: readonly number[]) =>
      source.update(
        ks.map(
          (k): Doc => ({ k, a: Math.floor(random() * 1000), last_updated: new Date(++clock) }),
        ),
      );
    await put(Array.from({ length: DOCS }, (_, k) => k));
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) {
        if (round % 4 === 0) await target.removeDocs({});
        await put(Array.from({ length: 300 }, () => Math.floor(random() * DOCS * 1.1)));
        await source.removeDocs({ k: { $in: [round, round + 700] } });
      }
      const first = await run(file, random() * 400);
      if (first === null) killed++;
      const half = await target.count();
      const second = await run(file, null);
      if (first === null && second !== null && second.total < DOCS && half > 0) resumed++;
      const expected = await source.query({}, { sort: { k: 1 } }).toArray();
      expect(
        (await contents(target, 'last_updated')).map(({ k, tenfold, state: end }) => [
          k,
          tenfold,
          end,
        ]),
      ).toEqual(
        expected.map(({ k, a }) =>
          a % 97 === 3 ? [k, undefined, 'failed'] : [k, a * 10, 'successful'],
        ),
      );
      expect(await run(file, null)).toMatchObject({ total: 0 });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(
    `seed ${SEED}: ${killed} of ${ROUNDS} runs were killed, ${resumed} resumed what was left`,
  );
  expect(killed).toBeGreaterThan(0);
}, 3_600_000);
