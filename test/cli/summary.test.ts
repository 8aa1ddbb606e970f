import { describe, expect, test } from 'vitest';
import type { BuildReport, ItemFailure } from '../../src/builder/build-report.js';
import { exitCodeOf } from '../../src/cli/exit-code.js';
import { oneLine } from '../../src/cli/printable.js';
import { formatError } from '../../src/cli/report-error.js';
import { countsOf, summarize } from '../../src/cli/summary.js';
import { FileFormatError } from '../../src/errors/serialization-errors.js';

function report(fields: Partial<BuildReport> = {}): BuildReport {
  return {
    buildId: '1',
    builder: 'TestBuilder',
    sources: [],
    targets: [],
    status: 'succeeded',
    total: 100,
    processed: 100,
    succeeded: 100,
    failed: 0,
    skipped: 0,
    invalid: 0,
    errors: 0,
    warnings: 0,
    startedAt: new Date(0),
    durationMs: 1234,
    stageMs: { get: 0, process: 0, update: 0 },
    failures: [],
    ...fields,
  };
}

function failure(key: unknown, message: string): ItemFailure {
  return { key, cause: 'error', attempts: 1, durationMs: 1, error: { name: 'Error', message } };
}

describe('the exit code', () => {
  const succeeded = report();
  const itemsFailed = report({ failed: 1 });
  const refused = report({ invalid: 1 });
  const failed = report({ status: 'failed' });
  const skipped = report({ status: 'skipped' });
  const cancelled = report({ status: 'cancelled' });

  test.each([
    [[], undefined, 0],
    [[succeeded, succeeded], undefined, 0],
    [[succeeded, itemsFailed], undefined, 3],
    [[refused], undefined, 3],
    [[itemsFailed, failed, succeeded], undefined, 1],
    [[failed, skipped], undefined, 1],
    [[itemsFailed, cancelled], 'SIGINT', 130],
    [[failed, cancelled], 'SIGTERM', 143],
    [[succeeded], 'SIGINT', 0],
    [[itemsFailed], 'SIGTERM', 3],
  ] as const)('of several builds is that of the worst (%#)', (reports, signal, code) => {
    expect(exitCodeOf(reports, signal)).toBe(code);
  });
});

describe('the summary', () => {
  test('is empty when all is well', () => {
    expect(summarize([report(), report()])).toBe('');
  });

  test('names the first failures', () => {
    const failures = [
      failure('mp-1', 'first\nproblem'),
      failure(2, `very ${'long '.repeat(50)}`),
      failure({ a: 1 }, 'x'),
      failure(4, 'x'),
    ];
    const text = summarize([report({ failed: 120, failures })]);
    expect(text).toMatch(
      /^TestBuilder: 120 of 100 items failed: 'mp-1' \(first problem\), 2 \(very long .{60,70}…\), \{ a: 1 } \(x\) and 117 more\n$/,
    );
  });

  test('tells of results that the target refused', () => {
    expect(summarize([report({ invalid: 2, total: null, processed: 9 })])).toBe(
      'TestBuilder: 2 of 9 results were refused by the target\n',
    );
  });

  test('says why a build failed, in one line when the error is one of ours', () => {
    const error = { name: 'X', message: 'no answer', code: 'STORE_CONNECTION', stack: 'stack' };
    expect(summarize([report({ status: 'failed', error })])).toBe(
      'mrun: TestBuilder failed: no answer\n',
    );
    const foreign = { name: 'TypeError', message: 'x', stack: 'TypeError: x\n    at y.js:1' };
    expect(summarize([report({ status: 'failed', error: foreign })])).toBe(
      'mrun: TestBuilder failed: TypeError: x\n    at y.js:1\n',
    );
  });

  test('tells what an interruption left undone', () => {
    const half = report({ status: 'cancelled', succeeded: 4000, processed: 4000, total: 100_000 });
    expect(summarize([half])).toBe(
      'Interrupted: 4000 of 100000 items were built; run it again to build the rest\n',
    );
    const waiting = report({ status: 'cancelled', total: null, processed: 0, succeeded: 0 });
    expect(summarize([report(), half, waiting])).toBe(
      'Interrupted: 4000 of 100000 items of TestBuilder were built, 1 builder was not started; run it again to build the rest\n',
    );
  });

  test('counts for the log', () => {
    expect(countsOf(report({ succeeded: 20_000 }))).toBe(
      'TestBuilder: 20000 succeeded, 0 failed, 0 skipped in 1.2 s',
    );
    expect(countsOf(report({ invalid: 2 }))).toContain('0 skipped, 2 refused in');
  });
});

describe('an error', () => {
  test('of ours is one line without a password', () => {
    const error = new FileFormatError('b.json', 'no\nfile at mongodb://me:secret@host/x');
    expect(formatError(error)).toBe('mrun: b.json: no file at mongodb://me:***@host/x\n');
  });

  test('of others is shown with its stack and its causes', () => {
    const error = new TypeError('boom', { cause: new RangeError('deep') });
    expect(formatError(error)).toMatch(
      /^mrun: TypeError: boom\n {4}at .*\n {2}caused by RangeError: deep\n {4}at .*\n$/s,
    );
  });

  test('may be anything', () => {
    expect(formatError('oops')).toBe('mrun: oops\n');
    expect(formatError(null)).toBe('mrun: null\n');
  });
});

test('a line is cut to its length', () => {
  expect(oneLine(' a\n  b\tc\x07 ', 7)).toBe('a b\tc\\…');
});
