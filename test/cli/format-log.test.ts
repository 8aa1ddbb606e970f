import type { LogRecord } from '@logtape/logtape';
import { ObjectId } from 'bson';
import { describe, expect, test } from 'vitest';
import type { LogLineStyle } from '../../src/cli/format-log.js';
import { formatEntry, formatJsonEntry } from '../../src/cli/format-log.js';
import { toLogEntry } from '../../src/util/log-entry.js';

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

const formatted = (fields: Partial<LogRecord>, style?: LogLineStyle) =>
  formatEntry(toLogEntry(record(fields)), style);

/** A line of JSON, and what it says. */
function parsed(fields: Partial<LogRecord>, style?: LogLineStyle): Record<string, unknown> {
  const line = formatJsonEntry(toLogEntry(record(fields)), style);
  // The characters that a terminal obeys, or that some program takes for the end of a line.
  expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  expect(line.endsWith('}\n')).toBe(true);
  return JSON.parse(line);
}

describe('a log line', () => {
  test("looks like one of Python's logging, in local time", () => {
    expect(formatted({})).toBe(
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
    expect(formatted({ level })).toContain(` - ${name} - `);
  });

  test('fills in properties, and leaves other braces alone', () => {
    const properties = { key: 7, where: 'x' };
    expect(formatted({ rawMessage: '{key} at {where}: {"a":{b}}', properties })).toMatch(
      / - 7 at x: \{"a":\{b}}\n$/,
    );
  });

  test('does not print properties, but a stack when asked', () => {
    const stacked = { properties: { stack: 'Error: x\n    at y', other: 1 } };
    expect(formatted(stacked)).toMatch(/items\n$/);
    expect(formatted(stacked, { withStack: true })).toMatch(/items\nError: x\n {4}at y\n$/);
  });

  test('shows no password and no escape sequence', () => {
    const rawMessage = 'mongodb://me:hunter2@host/db \x1b[2J';
    expect(formatted({ rawMessage })).toMatch(/ - mongodb:\/\/me:\*\*\*@host\/db \\x1b\[2J\n$/);
  });

  test('is coloured at its level alone', () => {
    const colour = (style: string, text: string) => `<${style} ${text}>`;
    expect(formatted({ level: 'error' }, { colour })).toBe(
      '2020-01-08 14:33:17,087 - SerialProcessor - <red ERROR> - Processing batch of 1000 items\n',
    );
  });
});

describe('a log line in JSON', () => {
  test('says when, how serious, who and what, and its properties', () => {
    const properties = { key: 'mp-1', attempts: 2, when: new Date(at), gone: undefined };
    expect(parsed({ level: 'warning', properties })).toEqual({
      time: new Date(at).toISOString(),
      level: 'warning',
      logger: 'SerialProcessor',
      message: 'Processing batch of 1000 items',
      key: 'mp-1',
      attempts: 2,
      when: new Date(at).toISOString(),
    });
  });

  test('has a stack only when asked', () => {
    const stacked = { properties: { stack: 'Error: x\n    at y' } };
    expect(parsed(stacked)).not.toHaveProperty('stack');
    expect(parsed(stacked, { withStack: true })['stack']).toBe('Error: x\n    at y');
  });

  test('is not broken by anything, and shows no password', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const rawMessage = 'a\nb\r\x1b[2J\x9b\u2028\x85 mongodb://me:hunter2@host "x":"y@z"';
    const properties = {
      circular,
      big: 2n ** 70n,
      id: new ObjectId('0123456789abcdef01234567'),
      error: new TypeError('at mongodb://me:hunter2@host'),
      call: () => 1,
      uri: 'mongodb://me:hunter2@host',
      deep: { uri: 'mongodb://me:hunter2@host' },
    };
    const line = parsed({ rawMessage, properties });
    expect(line['message']).toBe('a\nb\r\x1b[2J\x9b\u2028\x85 mongodb://me:***@host "x":"y@z"');
    expect(line).toMatchObject({
      circular: expect.stringContaining('Circular'),
      id: { $oid: '0123456789abcdef01234567' },
      error: { name: 'TypeError', message: 'at mongodb://me:***@host' },
      uri: 'mongodb://me:***@host',
      deep: { uri: 'mongodb://me:***@host' },
    });
    expect(JSON.stringify(line)).toContain('1180591620717411303424');
    expect(JSON.stringify(line)).not.toContain('hunter2');
  });

  test('keeps properties that have the names of its own fields', () => {
    const properties = { level: 7, message: 'theirs' };
    expect(parsed({ properties })).toMatchObject({
      level: 'info',
      message: 'Processing batch of 1000 items',
      _level: 7,
      _message: 'theirs',
    });
  });
});
