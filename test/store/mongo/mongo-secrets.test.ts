import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import mongodb from 'mongodb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SecretReferenceError } from '../../../src/errors/option-errors.js';
import { asDict, asMaskedDict, dumps } from '../../../src/msonable/dump.js';
import { fromDict } from '../../../src/msonable/load.js';
import { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { MongoURIStore } from '../../../src/store/mongo/mongo-uri-store.js';

const PASSWORD = 'p/w@:"1234';

/** What reaches the driver, which then refuses it. */
async function handedOver(store: MongoStore) {
  let options: mongodb.MongoOptions | undefined;
  const spy = vi.spyOn(mongodb.MongoClient.prototype, 'connect').mockImplementation(function (
    this: mongodb.MongoClient,
  ) {
    options = this.options;
    return Promise.reject(new Error(`cannot use ${PASSWORD}, ${encodeURIComponent(PASSWORD)}`));
  });
  try {
    const error = await store.connect().then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );
    expect((error as Error).message).toContain('cannot use ***, ***');
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('1234');
    return options;
  } finally {
    spy.mockRestore();
  }
}

afterEach(() => vi.unstubAllEnvs());

describe('a MongoStore', () => {
  test('resolves its host, user and password, and keeps the references', async () => {
    vi.stubEnv('DB_HOST', 'a.example.org:27018,b.example.org');
    vi.stubEnv('DB_USER', 'me');
    vi.stubEnv('DB_PASSWORD', PASSWORD);
    const store = new MongoStore('lab', 'c', {
      host: '$env:DB_HOST',
      username: '$env:DB_USER',
      password: '$env:DB_PASSWORD',
    });
    const before = dumps(store);
    const options = await handedOver(store);
    expect(options?.credentials).toMatchObject({
      username: 'me',
      password: PASSWORD,
      source: 'lab',
    });
    expect(options?.hosts.map(String)).toEqual(['a.example.org:27018', 'b.example.org:27017']);
    expect(dumps(store)).toBe(before);
    expect(before).toContain('"host": "$env:DB_HOST"');
    expect(store.name).toBe('mongo://$env:DB_HOST/lab/c');
    expect(store.identity).toBe('mongodb:$env:DB_HOST/lab/c');
    expect(asMaskedDict(store)).toMatchObject({ password: '$env:DB_PASSWORD' });
  });

  test('is the same collection whoever logs in', () => {
    const one = new MongoStore('lab', 'c', { username: 'me', password: '$env:DB_PASSWORD' });
    expect(one.identity).toBe(new MongoStore('lab', 'c').identity);
  });

  test('resolves anew each time it is opened', async () => {
    const store = new MongoStore('lab', 'c', { username: 'me', password: '$env:DB_PASSWORD' });
    await expect(store.connect()).rejects.toBeInstanceOf(SecretReferenceError);
    vi.stubEnv('DB_PASSWORD', PASSWORD);
    expect((await handedOver(store))?.credentials).toMatchObject({ password: PASSWORD });
  });

  test('takes a password that looks like a reference', async () => {
    vi.stubEnv('DB_PASSWORD', PASSWORD);
    const store = new MongoStore('lab', 'c', { username: 'me', password: '$$env:DB_PASSWORD' });
    const spy = vi
      .spyOn(mongodb.MongoClient.prototype, 'connect')
      .mockRejectedValue(new Error('no'));
    await expect(store.connect()).rejects.toThrow('no');
    expect(spy.mock.contexts[0]).toHaveProperty('options.credentials.password', '$env:DB_PASSWORD');
    spy.mockRestore();
  });

  test('resolves the secrets among the options of the driver, and masks them', async () => {
    vi.stubEnv('KEY_PASSWORD', PASSWORD);
    const store = new MongoStore('lab', 'c', {
      mongoclientKwargs: {
        tlsCertificateKeyFilePassword: '$env:KEY_PASSWORD',
        appName: '$env:KEY_PASSWORD',
        auth: { username: 'me', password: PASSWORD },
      },
    });
    const options = await handedOver(store);
    expect(options).toMatchObject({ passphrase: PASSWORD, appName: '$env:KEY_PASSWORD' });
    expect(asMaskedDict(store)['mongoclient_kwargs']).toEqual({
      tlsCertificateKeyFilePassword: '$env:KEY_PASSWORD',
      appName: '$env:KEY_PASSWORD',
      auth: { username: 'me', password: '***' },
    });
    expect(JSON.stringify(store)).not.toContain('1234');
  });

  test('says which host cannot be', async () => {
    vi.stubEnv('DB_HOST', 'a b');
    const store = new MongoStore('lab', 'c', { host: '$env:DB_HOST' });
    await expect(store.connect()).rejects.toThrow(/option `host` to be hosts.*'a b'/);
  });
});

describe('a MongoURIStore', () => {
  test.each([
    ['mongodb://me:$env:DB_PASSWORD@h:5,i/lab?authSource=admin', 'mongo://h,i/lab/c'],
    ['mongodb://me:$$env:DB_PASSWORD@h/lab', 'mongo://h/lab/c', '$env:DB_PASSWORD'],
    ['mongodb://me:p%2Fw%40%3A%221234@h/lab', 'mongo://h/lab/c'],
  ])('takes the password of %s', async (uri, name, password = PASSWORD) => {
    vi.stubEnv('DB_PASSWORD', PASSWORD);
    const store = new MongoURIStore(uri, 'c');
    const spy = vi
      .spyOn(mongodb.MongoClient.prototype, 'connect')
      .mockRejectedValue(new Error('no'));
    await expect(store.connect()).rejects.toThrow('no');
    expect(spy.mock.contexts[0]).toMatchObject({
      options: { credentials: { username: 'me', password } },
    });
    spy.mockRestore();
    expect(store.name).toBe(name);
    expect(asDict(store)['uri']).toBe(uri);
  });

  test('takes it from a file', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mongo-secrets-'));
    const file = path.join(folder, 'password');
    writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
    try {
      const uri = `mongodb://me:$file:${encodeURIComponent(file)}@h/lab`;
      const options = await handedOver(new MongoURIStore(uri, 'c'));
      expect(options?.credentials).toMatchObject({ password: PASSWORD });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('may be a reference as a whole, with the name of the database', async () => {
    const uri = `mongodb://me:${encodeURIComponent(PASSWORD)}@h:5/ignored?serverSelectionTimeoutMS=7`;
    vi.stubEnv('DB_URI', uri);
    const store = new MongoURIStore('$env:DB_URI', 'c', { database: 'lab' });
    const options = await handedOver(store);
    expect(options).toMatchObject({ serverSelectionTimeoutMS: 7 });
    expect(options?.credentials).toMatchObject({ username: 'me', password: PASSWORD });
    expect(store.name).toBe('mongo://$env:DB_URI/lab/c');
    expect(store.identity).toBe('mongodb:$env:DB_URI/lab/c');
    expect(asMaskedDict(store)['uri']).toBe('$env:DB_URI');
    const copy = await fromDict<MongoURIStore>(asDict(store));
    expect(asDict(copy)).toEqual(asDict(store));
    expect(copy.identity).toBe(store.identity);
  });

  test('needs that name then', () => {
    expect(() => new MongoURIStore('$env:DB_URI', 'c')).toThrow(
      /`database` to be a name, because the URI is read only when the store is opened/,
    );
  });

  test.each([
    ['is not a connection string', `postgres://me:${encodeURIComponent(PASSWORD)}@h`],
    ['has a password that is not escaped', `mongodb://me:${PASSWORD}@h`],
    ['is a reference itself', '$env:OTHER'],
  ])('says when what it refers to %s', async (_, uri) => {
    vi.stubEnv('DB_URI', uri);
    const store = new MongoURIStore('$env:DB_URI', 'c', { database: 'lab' });
    const error = await store.connect().then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'SECRET_REFERENCE',
      message: expect.stringMatching(
        /^Cannot resolve \$env:DB_URI, the option `uri` of mongo:.*: it does not hold a connection string/,
      ),
    });
    expect(inspect(error, { showHidden: true })).not.toContain('1234');
  });
});
