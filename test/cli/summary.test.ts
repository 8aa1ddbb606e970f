import { describe, expect, test } from 'vitest';
import type { BuildReport, ItemFailure } from '../../src/builder/build-report.js';
import { exitCodeOf } from '../../src/cli/exit-code.js';
import { oneLine } from '../../src/cli/printable.js';
import { formatError } from '../../src/cli/report-error.js';
import { countsOf, logCounts, summarize } from '../../src/cli/summary.js';
import { FileFormatError } from '../../src/errors/serialization-errors.js';
import type { Logger } from '../../src/util/logger.js';

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
    expect(summarize([report(), report()], { files: [] })).toBe('');
  });

  test('names the first failures', () => {
    const failures = [
      failure('mp-1', 'first\nproblem'),
      failure(2, `very ${'long '.repeat(50)}`),
      failure({ a: 1 }, 'x'),
      failure(4, 'x'),
    ];
    const text = summarize([report({ failed: 120, failures })], { files: [] });
    expect(text).toMatch(
      /^TestBuilder: 120 of 100 items failed: 'mp-1' \(first problem\), 2 \(very long .{60,70}…\), \{ a: 1 } \(x\) and 117 more\n$/,
    );
  });

  test('tells of results that the target refused', () => {
    expect(summarize([report({ invalid: 2, total: null, processed: 9 })], { files: [] })).toBe(
      'TestBuilder: 2 of 9 results were refused by the target\n',
    );
  });

  test('says why a build failed, in one line when the error is one of ours', () => {
    const error = { name: 'X', message: 'no answer', code: 'STORE_CONNECTION', stack: 'stack' };
    expect(summarize([report({ status: 'failed', error })], { files: [] })).toBe(
      'mrun: TestBuilder failed: no answer\n',
    );
    const foreign = { name: 'TypeError', message: 'x', stack: 'TypeError: x\n    at y.js:1' };
    expect(summarize([report({ status: 'failed', error: foreign })], { files: [] })).toBe(
      'mrun: TestBuilder failed: TypeError: x\n    at y.js:1\n',
    );
  });

  test('tells what an interruption left undone', () => {
    const half = report({ status: 'cancelled', succeeded: 4000, processed: 4000, total: 100_000 });
    expect(summarize([half], { files: [] })).toBe(
      'Interrupted: 4000 of 100000 items were built; run it again to build the rest\n',
    );
    const waiting = report({ status: 'cancelled', total: null, processed: 0, succeeded: 0 });
    expect(summarize([report(), half, waiting], { files: [] })).toBe(
      'Interrupted: 4000 of 100000 items of TestBuilder were built, 1 builder was not started; run it again to build the rest\n',
    );
  });

  test('names the command that shows all failures, with the real files', () => {
    const failed = report({ failed: 1, failures: [failure(1, 'x')] });
    const files = ['b.json', 'my builders/c.yaml', "it's.json"];
    expect(summarize([report(), failed], { files })).toBe(
      'TestBuilder: 1 of 100 items failed: 1 (x)\n' +
        "See all failures: mrun failures b.json 'my builders/c.yaml' 'it'\\''s.json'\n",
    );
    expect(summarize([report()], { files })).toBe('');
    const broken = report({ status: 'failed', error: { name: 'X', message: 'x', code: 'X' } });
    expect(summarize([broken], { files })).not.toContain('mrun failures');
  });

  test('counts for the log', () => {
    expect(countsOf(report({ succeeded: 20_000 }))).toBe(
      'TestBuilder: 20000 succeeded, 0 failed, 0 skipped in 1.2 s',
    );
    expect(countsOf(report({ invalid: 2 }))).toContain('0 skipped, 2 refused in');
  });
});

describe('the summary on a terminal', () => {
  const stages = { get: 100, process: 900, update: 300 };
  const plain = report({ builder: 'MultiplyBuilder', durationMs: 2000, stageMs: stages });
  const failing = report({
    builder: 'RootBuilder',
    processed: 100,
    succeeded: 90,
    failed: 4,
    skipped: 5,
    invalid: 1,
    durationMs: 113_000,
    stageMs: { get: 1, process: 2, update: 3 },
    failures: [failure('mp-1', 'first\nproblem'), failure(2, `very ${'long '.repeat(50)}`)],
  });
  const idle = report({ total: 0, processed: 0, succeeded: 0 });
  const waiting = { total: null, processed: 0, succeeded: 0, durationMs: 0 };
  const lines = (reports: readonly BuildReport[], columns: number) => {
    const text = summarize(reports, { files: ['b.json'], columns });
    expect(text.endsWith('\n')).toBe(true);
    return text.split('\n').slice(0, -1);
  };

  test('is a table of what was built', () => {
    expect(lines([plain], 80)).toEqual([
      'builder          status     built   time  items/s  slowest stage',
      'MultiplyBuilder  succeeded    100  2.0 s       50  Process Items',
    ]);
  });

  test('has a column for what is not zero, and the first failures below', () => {
    expect(lines([plain, failing], 100)).toEqual([
      'builder          status     built  failed  skipped  refused        time  items/s  slowest stage',
      'MultiplyBuilder  succeeded    100       0        0        0       2.0 s       50  Process Items',
      'RootBuilder      succeeded     90       4        5        1  1 min 53 s      0.9  Update Targets',
      'RootBuilder: 4 of 100 items failed, 1 of 100 results were refused by the target',
      "  'mp-1': first problem",
      expect.stringMatching(/^ {2}2: very long .*…$/),
      '  and 2 more',
      'See all failures: mrun failures b.json',
    ]);
  });

  test('says of builds that were not run that they were not', () => {
    const failed = report({
      status: 'failed',
      ...{ total: null, processed: 0, succeeded: 0 },
      error: { name: 'X', message: 'no answer', code: 'X' },
    });
    const skipped = report({ builder: 'Skipped', status: 'skipped', ...waiting });
    const cancelled = report({ builder: 'Cancelled', status: 'cancelled', ...waiting });
    expect(lines([failed, skipped, cancelled], 80)).toEqual([
      'builder      status     built   time  items/s',
      'TestBuilder  failed         0  1.2 s',
      'Skipped      skipped        0',
      'Cancelled    cancelled      0',
      'mrun: TestBuilder failed: no answer',
      'Interrupted: 1 builder was not started; run it again to build the rest',
    ]);
  });

  test('says when there was nothing to build', () => {
    expect(lines([idle], 80)).toEqual(['TestBuilder: everything is up to date']);
    expect(lines([idle, plain], 80)[1]).toMatch(/^TestBuilder +succeeded +0 +1\.2 s$/);
  });

  test.each([
    [80, ['builder', 'status', 'built', 'failed', 'skipped', 'refused', 'time', 'items/s']],
    [60, ['builder', 'status', 'built', 'failed', 'refused', 'time']],
    [40, ['builder', 'status', 'built', 'failed']],
    [20, ['builder', 'built', 'failed']],
  ])('leaves out columns in %i columns', (columns, headings) => {
    const [heading = '', ...rows] = lines([plain, failing], columns);
    expect(heading.split(/ {2,}/)).toEqual(
      headings.map((h) => (columns === 20 && h === 'builder' ? 'buil…' : h)),
    );
    for (const line of [heading, ...rows.slice(0, -1)])
      expect(line.length).toBeLessThanOrEqual(columns);
    expect(rows[1]).toMatch(/^Root.* 90 +4\b/);
  });

  test.each([12, 5, 1])('never wraps, not even in %i columns', (columns) => {
    for (const line of lines([plain, failing], columns).slice(0, -1))
      expect(line.length).toBeLessThanOrEqual(columns);
  });

  test('has colours for what went well and what did not', () => {
    const colour = (style: string, text: string) => `<${style} ${text}>`;
    const text = summarize([plain, failing], { files: [], columns: 100, colour });
    expect(text).toContain('<green succeeded>');
    expect(text).toMatch(/<red +4>/);
    expect(text).not.toMatch(/<red +0>/);
  });
});

describe('the counts in the log', () => {
  test.each([
    [report(), 'info'],
    [report({ failed: 1 }), 'error'],
    [report({ invalid: 1 }), 'error'],
    [report({ status: 'failed' }), 'error'],
    [report({ status: 'cancelled' }), 'warn'],
    [report({ status: 'skipped' }), 'warn'],
  ] as const)('are as serious for machines as the build ended (%#)', (ended, level) => {
    const logged: unknown[] = [];
    const write = (name: string) => (message: string, fields?: unknown) => {
      logged.push([name, message, fields]);
    };
    const names = ['debug', 'info', 'warn', 'error'] as const;
    const logger = Object.fromEntries(
      names.map((name) => [name, write(name)]),
    ) as unknown as Logger;
    logCounts(logger, ended, 'json');
    logCounts(logger, ended);
    const { builder, buildId, status, failed, stageMs } = ended;
    const fields = expect.objectContaining({ builder, buildId, status, failed, stageMs });
    expect(logged).toEqual([
      [level, countsOf(ended), fields],
      ['info', countsOf(ended), fields],
    ]);
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
