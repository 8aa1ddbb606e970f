import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/errors/option-errors.js';
import { canonicalHosts, parseHosts, toAuthority } from '../../../src/store/mongo/mongo-hosts.js';
import { MongoStore } from '../../../src/store/mongo/mongo-store.js';
import { parseMongoUri } from '../../../src/store/mongo/mongo-uri.js';
import { MongoURIStore } from '../../../src/store/mongo/mongo-uri-store.js';

describe('a connection string', () => {
  test('tells user, password, hosts, database and the names of its parameters', () => {
    const uri = 'mongodb://me%40home:p%2Fw%3A1@a,B:27018,[::1]:5/d%20b?replicaSet=r&W=1';
    expect(parseMongoUri(uri)).toEqual({
      isSrv: false,
      username: 'me@home',
      password: 'p/w:1',
      hosts: [
        { name: 'a', port: 27017 },
        { name: 'B', port: 27018 },
        { name: '::1', port: 5 },
      ],
      database: 'd b',
      parameters: new Set(['replicaset', 'w']),
    });
  });

  test('needs no more than a host', () => {
    for (const uri of ['mongodb://h', 'mongodb://h/', 'MongoDB://h/?', 'mongodb://h?w=1'])
      expect(parseMongoUri(uri)).toMatchObject({
        hosts: [{ name: 'h', port: 27017 }],
        username: '',
        password: '',
        database: undefined,
      });
  });

  test('may name a service of DNS, or a socket in the file system', () => {
    expect(parseMongoUri('mongodb+srv://u:p@cluster.example.net/db')).toMatchObject({
      isSrv: true,
      hosts: [{ name: 'cluster.example.net' }],
      database: 'db',
    });
    const { hosts } = parseMongoUri('mongodb://%2Ftmp%2Fmongodb-27017.sock/db');
    expect(hosts).toEqual([{ name: '/tmp/mongodb-27017.sock', port: 0 }]);
    expect(hosts.map(toAuthority)).toEqual(['%2Ftmp%2Fmongodb-27017.sock']);
  });

  const BAD = [
    '',
    'localhost:27017',
    'http://u:hunter2@h/db',
    'mongodb://',
    'mongodb:///db',
    'mongodb://u:hunter2@/db',
    'mongodb://u:hunter2',
    'mongodb://u:hun/ter2@h/db',
    'mongodb://u:hun@ter2@h/db',
    'mongodb://u:hunter2%@h/db',
    'mongodb://u:hunter2@h:0/db',
    'mongodb://u:hunter2@h:70000/db',
    'mongodb://u:hunter2@h,,i/db',
    'mongodb://u:hunter2@h i/db',
    'mongodb+srv://u:hunter2@a,b/db',
    'mongodb+srv://u:hunter2@a:27017/db',
    'mongodb://u@h/a/b?password=hunter2',
  ];
  test.each(BAD)('that is none is refused without showing the password: %s', (uri) => {
    const attempt = () => new MongoURIStore(uri, 'c', { database: 'd' });
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(/option `uri`/);
    expect(attempt).not.toThrow(/hunter2|ter2|hun/);
  });

  test('of another type is refused', () => {
    expect(() => parseMongoUri(undefined)).toThrow(/option `uri`/);
    expect(() => parseMongoUri({ password: 'hunter2' })).not.toThrow(/hunter2/);
  });
});

describe('the database of a MongoURIStore', () => {
  test('comes from the option, or else from the path', () => {
    expect(new MongoURIStore('mongodb://h/one', 'c').database).toBe('one');
    expect(new MongoURIStore('mongodb://h/one', 'c', { database: 'two' }).database).toBe('two');
    expect(new MongoURIStore('mongodb://h/one', 'c', { database: null }).database).toBe('one');
  });

  test('must come from somewhere', () => {
    expect(() => new MongoURIStore('mongodb://u:hunter2@h/', 'c')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'database' }),
    );
  });
});

describe('name and identity', () => {
  test('hold no credentials', () => {
    const store = new MongoURIStore('mongodb://me:hunter2@h:27018,i/db', 'c');
    expect(store.name).toBe('mongo://h,i/db/c');
    expect(store.identity).toBe('mongodb:h:27018,i:27017/db/c');
    expect(new MongoStore('db', 'c', { host: 'h', username: 'me', password: 'hunter2' }).name).toBe(
      'mongo://h/db/c',
    );
  });

  test('the identity is that of the collection, however it is written', () => {
    const plain = new MongoStore('db', 'c', { host: 'Example.org' });
    expect(plain.identity).toBe('mongodb:example.org:27017/db/c');
    expect(new MongoURIStore('mongodb://u:p@example.ORG:27017/db', 'c').identity).toBe(
      plain.identity,
    );
    const a = new MongoURIStore('mongodb://a,b:2/db', 'c').identity;
    expect(new MongoURIStore('mongodb://b:2,A/x?w=1', 'c', { database: 'db' }).identity).toBe(a);
    const others = [
      new MongoStore('db', 'c', { host: 'example.org', port: 1 }),
      new MongoStore('db2', 'c', { host: 'example.org' }),
      new MongoStore('db', 'c2', { host: 'example.org' }),
      new MongoURIStore('mongodb+srv://example.org/db', 'c'),
    ];
    for (const other of others) expect(other.identity).not.toBe(plain.identity);
  });

  test('an IPv6 address gets its brackets', () => {
    expect(new MongoStore('db', 'c', { host: '::1' }).identity).toBe('mongodb:[::1]:27017/db/c');
    expect(canonicalHosts(parseHosts('host', 'fe80::1%eth0', '', 5))).toBe('[fe80::1%eth0]:5');
  });
});
