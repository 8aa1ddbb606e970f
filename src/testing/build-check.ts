import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import type { BuildReport } from '../builder/build-report.js';
import type { BuildRecord } from './build-record.js';
import type { SuiteBuilder } from './suite-builder.js';

/** The report keeps no more. */
const KEPT_FAILURES = 100;

/** Checks what holds for every build, however it ended. */
export function checkBuild(builder: SuiteBuilder, report: BuildReport, record: BuildRecord): void {
  checkGrammar(record, report);
  checkCounts(record, report);
  checkProgress(record, report);
  equal(
    builder.finalized.length,
    builder.connections,
    'finalize() is called once when connect() succeeded',
  );
}

function checkGrammar(record: BuildRecord, report: BuildReport): void {
  const names = record.entries.map(({ name }) => name);
  equal(names[0], 'BUILD_STARTED', 'the first event is BUILD_STARTED');
  equal(names.at(-1), 'BUILD_ENDED', 'the last event is BUILD_ENDED');
  for (const name of ['BUILD_STARTED', 'BUILD_ENDED'] as const)
    equal(record.of(name).length, 1, `${name} comes once`);
  for (const { event } of record.entries) equal(event.builder, report.builder);
}

function checkCounts(record: BuildRecord, report: BuildReport): void {
  const { processed, succeeded, failed, skipped, invalid } = report;
  equal(processed, succeeded + failed + skipped + invalid, 'processed is the sum of the others');
  const [ended] = record.of('BUILD_ENDED');
  const { status, total, errors, warnings, durationMs, stageMs } = report;
  const counts = { processed, succeeded, failed, skipped, invalid };
  const { error: _, ...announced } = ended ?? {};
  deepStrictEqual(
    announced,
    {
      builder: report.builder,
      buildId: report.buildId,
      ...counts,
      ...{ status, total, errors, warnings, stageMs, durationMs: ended?.durationMs },
    },
    'BUILD_ENDED says what the report says',
  );
  ok(durationMs >= 0);
  deepStrictEqual(ended?.error, report.error);
  const failures = record
    .of('ITEM_FAILED')
    .map(({ builder: _name, buildId: _id, ...failure }) => failure);
  equal(failures.length, failed, 'ITEM_FAILED comes once for each failed item');
  deepStrictEqual(report.failures, failures.slice(0, KEPT_FAILURES));
  const updated = record.of('UPDATE').reduce((sum, { items }) => sum + items, 0);
  if (status === 'succeeded') equal(updated, succeeded + invalid, 'each write is announced');
  else ok(updated >= succeeded + invalid, 'each write is announced');
}

function checkProgress(record: BuildRecord, report: BuildReport): void {
  const steps = record.of('PROGRESS');
  for (const [i, step] of steps.entries()) {
    const { fetched = 0, processed = 0, written = 0 } = steps[i - 1] ?? {};
    ok(step.fetched >= fetched, 'progress never goes back');
    ok(step.processed >= processed && step.written >= written, 'progress never goes back');
  }
  const last = steps.at(-1);
  equal(last?.written, report.processed, 'the last PROGRESS has the final counts');
  equal(last?.total, report.total, 'the last PROGRESS has the final counts');
}

/**
 * Remembers which stores are open.
 *
 * @returns What makes sure, after the run, that the same ones are.
 */
export function checkStores(builders: readonly SuiteBuilder[]): () => void {
  const stores = new Set(builders.flatMap((builder) => builder.stores()));
  const before = new Map([...stores].map((store) => [store, store.connected]));
  return () => {
    for (const [store, connected] of before)
      equal(store.connected, connected, 'a run closes the stores that it opened, and only those');
  };
}
