import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SecretError } from '../../../src/errors/distributed-errors.js';
import {
  findSecret,
  makeSecretFile,
  readSecret,
} from '../../../src/processor/distributed/secret-file.js';

const LOOPBACK = new URL('tcp://127.0.0.1:5555');
const FAR = new URL('tcp://0.0.0.0:5555');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maggma-secret-'));
  vi.stubEnv('XDG_RUNTIME_DIR', folder);
  vi.stubEnv('MAGGMA_SECRET_FILE', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
const file = (name: string) => path.join(folder, name);

describe('a secret file', () => {
  test('is made for its owner alone, with 32 random bytes, and never over another file', () => {
    makeSecretFile(file('a'));
    makeSecretFile(file('b'));
    expect(statSync(file('a')).mode & 0o777).toBe(0o600);
    expect(readSecret(file('a'))).toHaveLength(32);
    expect(readSecret(file('a'))).not.toEqual(readSecret(file('b')));
    const before = readFileSync(file('a'));
    expect(() => makeSecretFile(file('a'))).toThrow(/a: the secret cannot be written: EEXIST/);
    expect(readFileSync(file('a'))).toEqual(before);
  });

  test.each([0o640, 0o604, 0o660, 0o666, 0o610])('of mode %o is refused', (mode) => {
    makeSecretFile(file('a'));
    chmodSync(file('a'), mode);
    expect(() => readSecret(file('a'))).toThrow(
      new RegExp(`a: others can read this secret \\(mode ${mode.toString(8)}\\).*mrun keygen`),
    );
  });

  test.each(['', 'password', `${'A'.repeat(42)}==`, `${'A'.repeat(88)}`, '{"key":1}'])(
    'that holds %j is refused, and not shown',
    (text) => {
      writeFileSync(file('a'), text, { mode: 0o600 });
      const read = () => readSecret(file('a'));
      expect(read).toThrow(/a: expected 32 random bytes as base64/);
      if (text !== '') expect(read).not.toThrow(text);
    },
  );

  test('that is not there, or is a folder, is refused', () => {
    expect(() => readSecret(file('nowhere'))).toThrow(/nowhere: the secret cannot be read: ENOENT/);
    mkdirSync(file('sub'), { mode: 0o700 });
    expect(() => readSecret(file('sub'))).toThrow(/sub: the secret cannot be read: EISDIR/);
  });
});

describe('the secret of a run', () => {
  test('is the one that was given, or that the environment names', () => {
    makeSecretFile(file('a'));
    makeSecretFile(file('b'));
    expect(findSecret(FAR, file('a'))).toEqual(readSecret(file('a')));
    vi.stubEnv('MAGGMA_SECRET_FILE', file('b'));
    expect(findSecret(FAR, undefined)).toEqual(readSecret(file('b')));
    expect(findSecret(FAR, file('a'))).toEqual(readSecret(file('a')));
  });

  test('must be given where others can reach the manager', () => {
    for (const url of [
      'tcp://0.0.0.0:1',
      'tcp://10.1.2.3:1',
      'tcp://example.org:1',
      'tcp://[::]:1',
    ])
      expect(() => findSecret(new URL(url), undefined)).toThrow(/`mrun keygen FILE`/);
  });

  test('is made once on this machine alone, in a folder of the user', () => {
    const secret = findSecret(LOOPBACK, undefined);
    expect(secret).toHaveLength(32);
    for (const url of ['tcp://localhost:1', 'tcp://127.9.9.9:1', 'tcp://[::1]:1'])
      expect(findSecret(new URL(url), undefined)).toEqual(secret);
    expect(statSync(file('maggma')).mode & 0o777).toBe(0o700);
    expect(statSync(file('maggma/secret')).mode & 0o777).toBe(0o600);
  });

  test('is looked for below the temporary folder, without a runtime directory', () => {
    vi.stubEnv('XDG_RUNTIME_DIR', '');
    vi.stubEnv('TMPDIR', folder);
    findSecret(LOOPBACK, undefined);
    expect(readSecret(file(`maggma-${userInfo().uid}/secret`))).toHaveLength(32);
  });

  test('is not taken from a folder that others can change, or that is a link', () => {
    mkdirSync(file('maggma'));
    chmodSync(file('maggma'), 0o777);
    expect(() => findSecret(LOOPBACK, undefined)).toThrow(SecretError);
    rmSync(file('maggma'), { recursive: true });
    mkdirSync(file('elsewhere'), { mode: 0o700 });
    symlinkSync(file('elsewhere'), file('maggma'));
    expect(() => findSecret(LOOPBACK, undefined)).toThrow(/not a folder of yours alone/);
  });
});
