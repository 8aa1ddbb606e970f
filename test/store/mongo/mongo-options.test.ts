import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import { InvalidQueryError } from '../../../src/errors/query-errors.js';
import { asDict, asMaskedDict, dumps } from '../../../src/msonable/dump.js';
import { fromDict, loads } from '../../../src/msonable/load.js';
import { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { MongoURIStore } from '../../../src/store/mongo/mongo-uri-store.js';
import { canonical, golden, goldenBytes } from '../../msonable/golden-data.js';

interface Signature {
  readonly '@class': string;
  readonly arguments_in_json_order: readonly { readonly name: string }[];
}

describe('options', () => {
  test('have the defaults of Python', () => {
    expect(new MongoStore('db', 'c')).toMatchObject({
      host: 'localhost',
      port: 27017,
      username: '',
      password: '',
      sshTunnel: null,
      safeUpdate: false,
      authSource: 'db',
      mongoclientKwargs: {},
      defaultSort: null,
      key: 'task_id',
      connected: false,
    });
  });

  test('are copied and cannot be changed', () => {
    const kwargs = { tls: true };
    const defaultSort = { a: 1 } as Record<string, 1 | -1>;
    const store = new MongoStore('db', 'c', { mongoclientKwargs: kwargs, defaultSort });
    kwargs.tls = false;
    defaultSort['a'] = -1;
    expect(store.mongoclientKwargs).toEqual({ tls: true });
    expect(store.defaultSort).toEqual({ a: 1 });
    expect(Object.isFrozen(store.mongoclientKwargs) && Object.isFrozen(store.defaultSort)).toBe(
      true,
    );
  });

  const REFUSED: [string, () => unknown][] = [
    ['database', () => new MongoStore('', 'c')],
    ['database', () => new MongoStore('a/b', 'c')],
    ['database', () => new MongoStore(7 as never, 'c')],
    ['collectionName', () => new MongoStore('db', '')],
    ['collectionName', () => new MongoStore('db', 'a$b')],
    ['collectionName', () => new MongoURIStore('mongodb://h/db', '.c')],
    ['host', () => new MongoStore('db', 'c', { host: '' })],
    ['host', () => new MongoStore('db', 'c', { host: 'mongodb://u:hunter2@h' })],
    ['port', () => new MongoStore('db', 'c', { port: 0 })],
    ['port', () => new MongoStore('db', 'c', { port: '27017' as never })],
    ['username', () => new MongoStore('db', 'c', { username: 1 as never })],
    ['password', () => new MongoStore('db', 'c', { password: ['hunter2'] as never })],
    ['sshTunnel', () => new MongoStore('db', 'c', { sshTunnel: { password: 'hunter2' } as never })],
    ['sshTunnel', () => new MongoURIStore('mongodb://h/d', 'c', { sshTunnel: 'x' as never })],
    ['safeUpdate', () => new MongoStore('db', 'c', { safeUpdate: 1 as never })],
    ['mongoclientKwargs', () => new MongoStore('db', 'c', { mongoclientKwargs: [] as never })],
    ['defaultSort', () => new MongoStore('db', 'c', { defaultSort: { a: 2 as never } })],
    ['key', () => new MongoStore('db', 'c', { key: '' })],
  ];
  test.each(REFUSED)('are checked: %s', (option, make) => {
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(expect.objectContaining({ option }));
    expect(make).not.toThrow(/hunter2/);
  });

  test('a tunnel is refused with what to do instead', () => {
    expect(() => new MongoStore('db', 'c', { sshTunnel: {} as never })).toThrow(
      /tunnels are not available in this version.*ssh -L/,
    );
  });
});

describe('JSON', () => {
  test.each([
    ['mongo_default', MongoStore],
    ['mongo_full', MongoStore],
    ['mongo_sort_enum', MongoStore],
    ['mongouri', MongoURIStore],
    ['mongouri_srv', MongoURIStore],
  ] as const)('%s.json of Python is read and written again as it was', async (name, cls) => {
    const text = goldenBytes(`stores/${name}.json`).toString();
    const store = await loads<object>(text);
    expect(store).toBeInstanceOf(cls);
    // The members of an enum are written as their values, which Python takes as well.
    const expected = text.replace(/\{"value": (-?1), "@module": "maggma.core.store"[^}]*\}/, '$1');
    expect(canonical(dumps(store))).toBe(canonical(expected));
    expect(asDict(await fromDict<object>(asDict(store)))).toEqual(asDict(store));
  });

  test('what the file says is in the store', async () => {
    const store = await loads<MongoStore>(goldenBytes('stores/mongo_full.json').toString());
    expect(store).toMatchObject({
      database: 'db',
      collectionName: 'coll',
      host: 'h',
      port: 1234,
      username: 'u',
      password: 'p',
      safeUpdate: true,
      authSource: 'admin',
      mongoclientKwargs: { tls: true },
      defaultSort: { b: 1, a: -1 },
      key: 'k',
      lastUpdatedField: 'lu',
    });
  });

  test.each([
    ['MongoStore', new MongoStore('db', 'c')],
    ['MongoURIStore', new MongoURIStore('mongodb://h/db', 'c')],
  ] as const)('%s has the arguments of Python in their order', (name, store) => {
    const signature = golden<Signature[]>('signatures.json').find((one) => one['@class'] === name);
    const names = signature?.arguments_in_json_order.map((one) => one.name);
    expect(Object.keys(asDict(store))).toEqual(['@module', '@class', '@version', ...(names ?? [])]);
  });

  test('a file with a tunnel is refused', async () => {
    const text = goldenBytes('stores/mongo_ssh.json').toString();
    await expect(loads(text)).rejects.toThrow(/SSHTunnel|tunnel/);
  });
});

describe('secrets', () => {
  const plain = new MongoStore('db', 'c', { username: 'me', password: 'hunter2' });
  const byUri = new MongoURIStore('mongodb://me:hunter2@h/db', 'c');

  test('are written by asDict and masked for people', () => {
    expect(asDict(plain)['password']).toBe('hunter2');
    expect(asMaskedDict(plain)['password']).toBe('***');
    expect(asDict(byUri)['uri']).toBe('mongodb://me:hunter2@h/db');
    expect(asMaskedDict(byUri)['uri']).toBe('***');
  });

  test.each([plain, byUri])('are not in what a console shows', (store) => {
    const shown = `${store.name} ${store.identity} ${inspect(store)} ${inspect({ store })}`;
    expect(shown).toContain('mongo://');
    expect(shown).not.toContain('hunter2');
  });
});

describe('fromDbFile', () => {
  test('takes the files of other tools', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mongo-db-file-'));
    try {
      const file = path.join(folder, 'db.json');
      const settings = { host: 'h', port: 5, database: 'd', collection: 'tasks', aliases: {} };
      writeFileSync(file, JSON.stringify({ ...settings, username: 'u', password: 'p', key: 'k' }));
      const store = await MongoStore.fromDbFile(file);
      expect(store).toBeInstanceOf(MongoStore);
      expect(store).toMatchObject({
        collectionName: 'tasks',
        host: 'h',
        port: 5,
        password: 'p',
        key: 'k',
      });
      writeFileSync(file, JSON.stringify({ ...settings, admin_user: 'x' }));
      await expect(MongoStore.fromDbFile(file)).rejects.toThrow(/admin_user/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('criteria', () => {
  const store = new MongoStore('db', 'c');

  test.each([
    { a: { $bogus: 1 } },
    { a: { $in: 5 } },
    { $or: [] },
    { $where: 'true' },
    { $and: [{ $where: 'true' }, { $text: { $search: 'x' } }] },
    { $expr: { $function: { body: 'f', args: [], lang: 'js' } } },
    { a: { $geoWithin: { $where: 'true' } } },
  ])('that no server takes, or that run code, are refused at once: %j', (criteria) => {
    expect(() => store.query(criteria)).toThrow(InvalidQueryError);
  });

  test.each([null, [], 'a', new Date()])('that are no object are refused: %s', (criteria) => {
    expect(() => store.query(criteria as never)).toThrow(InvalidQueryError);
  });

  test.each([
    { $text: { $search: 'word' } },
    { place: { $geoWithin: { $center: [[0, 0], 5] } } },
    { $and: [{ a: 1 }, { b: { $near: [0, 0] } }] },
    { $expr: { $gt: [{ $size: '$list' }, 2] } },
    { a: { $regex: '(?>a+)b' } },
  ])('that only a server understands are left to it: %j', (criteria) => {
    expect(() => store.query(criteria)).not.toThrow();
  });
});
