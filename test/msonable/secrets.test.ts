import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { redact } from '../../src/errors/redact.js';
import { MSONable, option } from '../../src/msonable/decorators.js';
import { asDict, asMaskedDict, dumpfn, dumps } from '../../src/msonable/dump.js';
import { fromDict } from '../../src/msonable/load.js';
import { secretValuesOf } from '../../src/msonable/secrets.js';
import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { MongoStore } from '../../src/store/mongo/mongo-store.js';
import { Forgotten, Holder } from './holder.js';

interface ClientOptions {
  readonly token?: string;
  readonly driver?: Record<string, unknown>;
}

@MSONable(import.meta.url, { module: 'maggma_ts.test', name: 'Client', version: null })
class Client {
  @option({ secret: true }) readonly token: string;
  @option({ secret: /password/i }) readonly driver: Record<string, unknown>;
  constructor({ token = '', driver = {} }: ClientOptions = {}) {
    if (token === 'refused-token') throw new Error(`${token} is too old`);
    this.token = token;
    this.driver = driver;
  }
}

@MSONable(import.meta.url, { module: 'maggma_ts.test', name: 'SafeClient', version: null })
class SafeClient extends Client {
  @option({ secret: true }) readonly pin: string;
  constructor(options: ClientOptions & { readonly pin?: string } = {}) {
    super(options);
    this.pin = options.pin ?? '';
  }
}

@MSONable(import.meta.url, { module: 'maggma_ts.test', name: 'Loud', version: null })
class Loud extends Client {
  [inspect.custom](): string {
    return 'loud';
  }
  toJSON(): string {
    return 'LOUD';
  }
}

const builder = new Holder({
  source: new MongoStore('d', 'c', { password: 'hunter2' }),
  list: [new Holder(1, { apiToken: 'tolkien-1' }), new Holder(1, { apiToken: '$env:TOKEN' })],
});

describe('secrets', () => {
  test('are written', () => {
    expect(dumps(builder)).toMatch(/hunter2.*tolkien-1.*\$env:TOKEN/);
  });

  test('are masked for people, references are not', () => {
    const masked = JSON.stringify(asMaskedDict(builder));
    expect(masked).not.toMatch(/hunter2|tolkien/);
    expect(masked).toContain('"api_token":"$env:TOKEN"');
    expect(asMaskedDict(builder)).toMatchObject({
      value: { source: { password: '***', username: '' } },
    });
    expect(asMaskedDict(new Holder(1))).toHaveProperty('api_token', null);
    expect(Object.keys(asMaskedDict(builder))).toEqual(Object.keys(asDict(builder)));
  });

  test('can be found', () => {
    expect(secretValuesOf(builder).sort()).toEqual(['hunter2', 'tolkien-1']);
    expect(secretValuesOf([builder, { a: 'x' }])).toHaveLength(2);
    expect(secretValuesOf(new MemoryStore())).toEqual([]);
    expect(secretValuesOf(new Forgotten(1, { apiToken: 'forgotten' }))).toEqual(['forgotten']);
  });

  test('of a record are those with certain names', () => {
    const driver = { user: 'me', proxyPassword: 'pw-1', auth: { password: 'pw-2' }, n: Number.NaN };
    const client = new Client({ driver });
    expect(secretValuesOf(client)).toEqual(['pw-1', 'pw-2']);
    expect(asMaskedDict(client)['driver']).toEqual({
      user: 'me',
      proxyPassword: '***',
      auth: { password: '***' },
      n: Number.NaN,
    });
    expect(asDict(client)['driver']).toEqual(driver);
  });

  test('are known once they were read', async () => {
    await fromDict({ ...asDict(new Client({ token: 'read-from-a-file' })) });
    expect(redact('read-from-a-file')).toBe('***');
  });

  test('are masked when a constructor complains of them', async () => {
    const dict = { ...asDict(new Client()), token: 'refused-token' };
    const error = await fromDict(dict).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );
    expect(inspect(error)).toContain('*** is too old');
    expect(inspect(error)).not.toContain('refused-token');
  });
});

describe('a file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'secrets-'));

  test.each([
    ['with a secret', 'tolkien-2', 0o600],
    ['with a reference', '$file:token.txt', 0o666 & ~process.umask()],
    ['with neither', '', 0o666 & ~process.umask()],
  ])('%s has the mode that it needs', (name, token, mode) => {
    const file = path.join(folder, `${name}.json`);
    dumpfn(new Client({ token }), file);
    expect(statSync(file).mode & 0o777).toBe(mode);
    expect(readFileSync(file, 'utf8')).toContain(token);
  });

  test('is gone', () => rmSync(folder, { recursive: true }));
});

describe('what is shown of an object', () => {
  const SECRETS = { token: 'tolkien-3', driver: { password: 'pw-3', port: 5 } };

  test('has no secrets', () => {
    const client = new Client(SECRETS);
    expect(inspect(client)).toBe("Client { token: '***', driver: { password: '***', port: 5 } }");
    expect(JSON.stringify({ client })).toBe(
      '{"client":{"token":"***","driver":{"password":"***","port":5}}}',
    );
    expect(inspect({ a: { b: { client } } })).toContain('[Client]');
    expect(inspect(new Client({ token: '$env:TOKEN' }))).toContain('$env:TOKEN');
    const assert = () => expect(client).toEqual({ token: 1 });
    expect(assert).toThrow(/to deeply equal/);
    expect(assert).not.toThrow(/tolkien/);
  });

  test('has none of its subclass either', () => {
    const client = new SafeClient({ ...SECRETS, pin: '98765' });
    expect(inspect(client)).toMatch(/^SafeClient \{.*pin: '\*\*\*'/s);
    expect(inspect(client, { showHidden: true })).not.toMatch(/tolkien|pw-3|98765/);
    expect(JSON.stringify(client)).not.toMatch(/tolkien|pw-3|98765/);
  });

  test('is what it says itself, where it says something', () => {
    expect(`${inspect(new Loud(SECRETS))} ${JSON.stringify(new Loud(SECRETS))}`).toBe(
      'loud "LOUD"',
    );
  });

  test('still is the object', () => {
    const client = new Client(SECRETS);
    expect(Object.keys(client)).toEqual(['token', 'driver']);
    expect({ ...client }).toEqual(SECRETS);
    expect(client).toEqual(new Client(SECRETS));
  });
});
