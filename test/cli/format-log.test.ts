import type { LogRecord } from '@logtape/logtape';
import { describe, expect, test } from 'vitest';
import { formatRecord } from '../../src/cli/format-log.js';

const at = new Date(2020, 0, 8, 14, 33, 17, 87).getTime();

function record(fields: Partial<LogRecord>): LogRecord {
  return {
    category: ['maggma', 'SerialProcessor'],
    level: 'info',
    message: [],
    rawMessage: 'Processing batch of 1000 items',
    timestamp: at,
    properties: {},
    ...fields,
  };
}

describe('a log line', () => {
  test("looks like one of Python's logging, in local time", () => {
    expect(formatRecord(record({}))).toBe(
      '2020-01-08 14:33:17,087 - SerialProcessor - INFO - Processing batch of 1000 items\n',
    );
  });

  test.each([
    ['debug', 'DEBUG'],
    ['info', 'INFO'],
    ['warning', 'WARNING'],
    ['error', 'ERROR'],
    ['fatal', 'CRITICAL'],
  ] as const)('calls the level %s %s', (level, name) => {
    expect(formatRecord(record({ level }))).toContain(` - ${name} - `);
  });

  test('fills in properties, and leaves other braces alone', () => {
    const properties = { key: 7, where: 'x' };
    expect(formatRecord(record({ rawMessage: '{key} at {where}: {"a":{b}}', properties }))).toMatch(
      / - 7 at x: \{"a":\{b}}\n$/,
    );
  });

  test('does not print properties, but a stack when asked', () => {
    const stacked = record({ properties: { stack: 'Error: x\n    at y', other: 1 } });
    expect(formatRecord(stacked)).toMatch(/items\n$/);
    expect(formatRecord(stacked, true)).toMatch(/items\nError: x\n {4}at y\n$/);
  });

  test('shows no password and no escape sequence', () => {
    const rawMessage = 'mongodb://me:hunter2@host/db \x1b[2J';
    expect(formatRecord(record({ rawMessage }))).toMatch(
      / - mongodb:\/\/me:\*\*\*@host\/db \\x1b\[2J\n$/,
    );
  });
});
