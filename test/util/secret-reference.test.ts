import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LogRecord } from '@logtape/logtape';
import { configureSync, resetSync } from '@logtape/logtape';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { SecretReferenceError } from '../../src/errors/option-errors.js';
import { redact } from '../../src/errors/redact.js';
import { resolveReference, resolveSecret } from '../../src/util/secret-reference.js';

const folder = mkdtempSync(path.join(tmpdir(), 'secret-reference-'));
const PLACE = { owner: 'mongo://h/db/c', option: 'password' };

function file(name: string, content: string | Uint8Array, mode = 0o600): string {
  const place = path.join(folder, name);
  writeFileSync(place, content, { mode });
  return place;
}

const failureOf = (text: string): Promise<SecretReferenceError> =>
  resolveSecret(text, PLACE).then(
    (value) => expect.unreachable(`it is ${value}`),
    (error) => error,
  );

afterEach(() => {
  vi.unstubAllEnvs();
  resetSync();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a reference', () => {
  test('is the value of a variable', async () => {
    vi.stubEnv('SOME_PASSWORD', 'from the env');
    expect(await resolveSecret('$env:SOME_PASSWORD', PLACE)).toBe('from the env');
  });

  test.each([
    ['plain', 'pw', 'pw'],
    ['with a line end', 'pw\n', 'pw'],
    ['of Windows', 'pw\r\n', 'pw'],
    ['with two line ends', 'pw\n\n', 'pw\n'],
    ['with spaces', ' p w ', ' p w '],
    ['in UTF-8', 'pä$env:X', 'pä$env:X'],
  ])('is the content of a file: %s', async (name, content, value) => {
    expect(await resolveSecret(`$file:${file(name, content)}`, PLACE)).toBe(value);
  });

  test('to a file starts in the working directory', async () => {
    const relative = path.relative(process.cwd(), file('relative', 'pw-here'));
    expect(await resolveSecret(`$file:${relative}`, PLACE)).toBe('pw-here');
  });

  test.each([
    ['', ''],
    ['pass-word', 'pass-word'],
    ['$5abc', '$5abc'],
    ['$$', '$$'],
    ['$environment:x', '$environment:x'],
    ['a$env:x', 'a$env:x'],
    ['$$env:x', '$env:x'],
    ['$$file:x', '$file:x'],
    ['$$$env:x', '$$env:x'],
  ])('is not %j', async (text, value) => {
    expect(await resolveSecret(text, PLACE)).toBe(value);
  });

  test('to a secret makes it known, one to something else does not', async () => {
    vi.stubEnv('SOME_USER', 'somebody-else');
    vi.stubEnv('SOME_PASSWORD', 'swordfish-1');
    await resolveReference('$env:SOME_USER', PLACE);
    await resolveSecret('$env:SOME_PASSWORD', PLACE);
    expect(redact('somebody-else has swordfish-1')).toBe('somebody-else has ***');
  });
});

describe('what is not there', () => {
  test.each([
    ['$env:MISSING_PASSWORD', /variable MISSING_PASSWORD is not set.*is started/],
    ['$env:toString', /variable toString is not set/],
    ['$env:', /names nothing: write \$env:NAME/],
    ['$file:', /names nothing: write \$file:path/],
    ['$file:no/such', /there is no file \/.*no\/such: .*relative to/],
    [`$file:${folder}`, /cannot be read: EISDIR/],
    ['$file:a\0b', /cannot be read: .*null bytes/],
  ])('%s is an error that says what to do', async (reference, message) => {
    const error = await failureOf(reference);
    expect(error).toBeInstanceOf(SecretReferenceError);
    expect(error).toMatchObject({ ...PLACE, reference, code: 'SECRET_REFERENCE' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain('the option `password` of mongo://h/db/c');
  });

  test('nor is what is empty', async () => {
    vi.stubEnv('EMPTY_PASSWORD', '');
    expect((await failureOf('$env:EMPTY_PASSWORD')).message).toMatch(/EMPTY_PASSWORD is empty/);
    expect((await failureOf(`$file:${file('empty', '\n')}`)).message).toMatch(/empty is empty/);
  });
});

test('a file that others can read is complained about once, with what to do', async () => {
  const records: LogRecord[] = [];
  configureSync({
    sinks: { here: (record) => records.push(record) },
    loggers: [
      { category: 'maggma', sinks: ['here'] },
      { category: ['logtape', 'meta'], lowestLevel: 'error' },
    ],
  });
  const [open, own] = [file('open', 'pw', 0o644), file('own', 'pw', 0o600)];
  for (const one of [open, own, open]) await resolveSecret(`$file:${one}`, PLACE);
  expect(records.map(({ level, rawMessage }) => `${level}: ${String(rawMessage)}`)).toEqual([
    `warning: The secret in ${open} can be read by other users: chmod 600 ${open}`,
  ]);
});
