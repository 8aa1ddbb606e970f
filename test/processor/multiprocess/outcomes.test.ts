import type { Doc, FailureCause, Processor } from 'maggma';
import { MemoryStore, MultiProcessor, SerialProcessor } from 'maggma';
import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import { SCALE } from '../../effort.js';
import { contents, storeWith } from '../../fixtures/stores.js';
import { TroubleBuilder } from '../../fixtures/trouble.js';

const ITEMS = 500;
const ROUNDS = SCALE >= 1 ? 3 : 1;
const TIMEOUT_MS = 5000;
/** What costs its worker is tried again once: each worker takes its time to start. */
const maxAttempts = 2;

const ANYWHERE: Readonly<Record<string, FailureCause | 'skipped'>> = {
  throw: 'error',
  skip: 'skipped',
  function: 'unserializable',
  cycle: 'unserializable',
  wait: 'timeout',
  late: 'timeout',
};
const IN_WORKERS = {
  loop: 'timeout',
  exit: 'worker-lost',
  memory: 'worker-lost',
  reject: 'worker-lost',
} as const;
const IN_PROCESSES = { kill: 'worker-lost', block: 'timeout' } as const;

const STRATEGIES: readonly {
  name: string;
  troubles: Readonly<Record<string, FailureCause | 'skipped'>>;
  create: () => Processor;
}[] = [
  { name: 'serial', troubles: ANYWHERE, create: () => new SerialProcessor() },
  {
    name: 'threads',
    troubles: { ...ANYWHERE, ...IN_WORKERS },
    create: () => new MultiProcessor({ numWorkers: 2, maxWorkerMemoryMb: 64, maxAttempts }),
  },
  {
    name: 'processes',
    troubles: { ...ANYWHERE, ...IN_WORKERS, ...IN_PROCESSES },
    create: () =>
      new MultiProcessor({
        ...{ numWorkers: 2, isolation: 'process', maxWorkerMemoryMb: 400, maxAttempts },
      }),
  },
];

/** What an item does; the same in every strategy, as far as the strategy can bear it. */
function deedOf(k: number, troubles: Readonly<Record<string, unknown>>): string | undefined {
  // Cheap troubles are many, those that cost a worker are few.
  if (k % 10 === 3) return ['throw', 'skip', 'function', 'cycle'][((k - 3) / 10) % 4];
  const rare = ['wait', 'late', 'loop', 'exit', 'memory', 'reject', 'kill', 'block'];
  const deed = k % 60 === 17 ? rare[(k - 17) / 60] : undefined;
  return deed !== undefined && deed in troubles ? deed : undefined;
}

describe.each(STRATEGIES)('500 items of all kinds, $name', ({ troubles, create }) => {
  test.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))(
    'come to the expected ends, run %i',
    async () => {
      const docs: Doc[] = Array.from({ length: ITEMS }, (_, k) => ({ k, do: deedOf(k, troubles) }));
      const source = await storeWith(docs);
      const target = await storeWith([]);
      const processor = create();
      const failed: [unknown, string][] = [];
      processor.on('ITEM_FAILED', ({ key, cause }) => failed.push([key, cause]));
      const report = await processor.run(
        new TroubleBuilder(source, target, { timeoutMs: TIMEOUT_MS }),
      );

      const ends = docs.map((doc) => [doc['k'], troubles[doc['do']]] as const);
      const expected = ends.filter(([, end]) => end !== undefined && end !== 'skipped');
      const skipped = ends.filter(([, end]) => end === 'skipped');
      const byKey = (list: Iterable<readonly [unknown, unknown]>) =>
        [...list].sort(([a], [b]) => Number(a) - Number(b));
      expect(byKey(failed)).toEqual(expected);
      expect(await contents(target)).toEqual(
        docs.filter((doc) => !troubles[doc['do']]).map(({ k }) => ({ k, built: true })),
      );
      expect(report).toMatchObject({
        status: 'succeeded',
        processed: ITEMS,
        succeeded: ITEMS - expected.length - skipped.length,
        failed: expected.length,
        skipped: skipped.length,
        errors: expected.length,
      });
      expect(exitCodeOf([report])).toBe(3);
    },
  );
});

test('an item that costs workers is tried a number of times, alone, and the others once', async () => {
  const source = await storeWith([{ k: 0 }, { k: 1, do: 'exit' }, { k: 2 }, { k: 3 }]);
  const target = new MemoryStore({ key: 'k' });
  const report = await new MultiProcessor({ numWorkers: 1, maxAttempts: 2 }).run(
    new TroubleBuilder(source, target),
  );
  expect(report).toMatchObject({ succeeded: 3, failed: 1 });
  expect(report.failures[0]).toMatchObject({
    key: 1,
    cause: 'worker-lost',
    attempts: 2,
    error: { message: 'the worker exited with code 3' },
  });
});
