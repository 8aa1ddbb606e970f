import type { BuildReport, ItemFailure } from '../../builder/build-report.js';
import { showValue } from '../../errors/show-value.js';
import { encode } from '../../msonable/encode.js';
import { fromDict } from '../../msonable/load.js';
import type { ChunkProgress, ChunkResult } from './engine.js';

/** So many failures are kept; a report has no more. */
export const KEPT_FAILURES = 100;
const BRIEF_CHARACTERS = 1000;

/** How far a chunk is that has not begun. */
export const NO_PROGRESS: ChunkProgress = Object.freeze({
  ...{ fetched: 0, processed: 0, written: 0, total: null },
  ...{ failed: 0, failures: [] },
});

/** The result of no chunks. */
export const NO_RESULT: ChunkResult = Object.freeze({
  processed: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  invalid: 0,
  errors: 0,
  warnings: 0,
  failures: Object.freeze([]),
});

/** Adds the results of chunks up. */
export function addResults(a: ChunkResult, b: ChunkResult): ChunkResult {
  return {
    processed: a.processed + b.processed,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    invalid: a.invalid + b.invalid,
    errors: a.errors + b.errors,
    warnings: a.warnings + b.warnings,
    failures: [...a.failures, ...b.failures].slice(0, KEPT_FAILURES),
  };
}

/** What is told of a chunk that was built. It can be written as JSON. */
export function resultOf(report: BuildReport): ChunkResult {
  const { processed, succeeded, failed, skipped, invalid, errors, warnings } = report;
  const failures = report.failures.map((failure) => ({ ...failure, key: plainKey(failure.key) }));
  return { processed, succeeded, failed, skipped, invalid, errors, warnings, failures };
}

/** What is told of an item that failed before its chunk is built. It can be written as JSON, and is short. */
export function briefFailure({
  key,
  cause,
  attempts,
  durationMs,
  error,
}: ItemFailure): ItemFailure {
  const { name, message, code } = error;
  const text = message.slice(0, BRIEF_CHARACTERS);
  const brief = { name, message: text, ...(code !== undefined && { code }) };
  return { key: plainKey(key), cause, attempts, durationMs, error: brief };
}

/** The failures of a result, with the keys that they had. */
export function failuresOf(failures: readonly ItemFailure[]): Promise<ItemFailure[]> {
  return Promise.all(
    failures.map(async (failure) => {
      const { key } = failure;
      const isPlain = typeof key !== 'object' || key === null;
      return { ...failure, key: isPlain ? key : await fromDict(key, { unknown: 'keep' }) };
    }),
  );
}

function plainKey(key: unknown): unknown {
  try {
    const { plain } = encode(key);
    JSON.stringify(plain);
    return plain;
  } catch {
    return showValue(key);
  }
}
