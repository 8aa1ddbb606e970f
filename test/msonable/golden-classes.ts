/**
 * The classes that the golden files name. Tests of serialization take them from here only, so that this is the
 * one place to change when the classes themselves change.
 */
import { arg, MSONable, option } from '../../src/msonable/decorators.js';
import { markGiven } from '../../src/msonable/given.js';

const VERSION = '0.74.0';

interface StoreOptions {
  key?: string | null;
  lastUpdatedField?: string;
  lastUpdatedType?: 'datetime' | 'isoformat';
  validator?: unknown;
}

abstract class Store {
  @option({ write: 'given' }) readonly key: string | null;
  @option({ write: 'given' }) readonly lastUpdatedField: string;
  @option({ write: 'given' }) readonly lastUpdatedType: 'datetime' | 'isoformat';
  @option({ write: 'given' }) readonly validator: unknown;

  constructor(options: StoreOptions = {}) {
    const { lastUpdatedType = 'datetime' } = options;
    if (lastUpdatedType !== 'datetime' && lastUpdatedType !== 'isoformat')
      throw new TypeError(`bad lastUpdatedType ${lastUpdatedType}`);
    markGiven(this, options);
    this.key = options.key === undefined ? 'task_id' : options.key;
    this.lastUpdatedField = options.lastUpdatedField ?? 'last_updated';
    this.lastUpdatedType = lastUpdatedType;
    this.validator = options.validator ?? null;
  }
}

const mongolike = {
  module: 'maggma.stores.mongolike',
  aliases: ['maggma.stores'],
  version: VERSION,
};

@MSONable(import.meta.url, mongolike)
export class MemoryStore extends Store {
  @option() readonly collectionName: string;
  constructor(options: StoreOptions & { collectionName?: string } = {}) {
    super(options);
    this.collectionName = options.collectionName ?? 'memory_db';
  }
}

@MSONable(import.meta.url, mongolike)
export class JSONStore extends Store {
  @arg() readonly paths: readonly unknown[];
  @option() readonly readOnly: boolean;
  @option() readonly serializationOption: unknown;
  @option() readonly serializationDefault: unknown;
  @option() readonly encoding: unknown;
  constructor(
    paths: string | readonly unknown[],
    options: StoreOptions & {
      readOnly?: boolean;
      serializationOption?: unknown;
      serializationDefault?: unknown;
      encoding?: unknown;
    } = {},
  ) {
    super(options);
    this.paths = Array.isArray(paths) ? paths : [paths];
    this.readOnly = options.readOnly ?? true;
    this.serializationOption = options.serializationOption ?? null;
    this.serializationDefault = options.serializationDefault ?? null;
    this.encoding = options.encoding ?? null;
  }
}

interface MongoOptions extends StoreOptions {
  host?: string;
  port?: number;
  username?: string;
  password?: string;
  sshTunnel?: unknown;
  safeUpdate?: boolean;
  authSource?: string | null;
  mongoclientKwargs?: object | null;
  defaultSort?: object | null;
}

@MSONable(import.meta.url, mongolike)
export class MongoStore extends Store {
  @arg() readonly database: string;
  @arg() readonly collectionName: string;
  @option() readonly host: string;
  @option() readonly port: number;
  @option() readonly username: string;
  @option({ secret: true }) readonly password: string;
  @option() readonly sshTunnel: unknown;
  @option() readonly safeUpdate: boolean;
  @option() readonly authSource: string;
  @option() readonly mongoclientKwargs: object;
  @option() readonly defaultSort: object | null;
  constructor(database: string, collectionName: string, options: MongoOptions = {}) {
    super(options);
    this.database = database;
    this.collectionName = collectionName;
    this.host = options.host ?? 'localhost';
    this.port = options.port ?? 27017;
    this.username = options.username ?? '';
    this.password = options.password ?? '';
    this.sshTunnel = options.sshTunnel ?? null;
    this.safeUpdate = options.safeUpdate ?? false;
    this.authSource = options.authSource ?? database;
    this.mongoclientKwargs = options.mongoclientKwargs ?? {};
    this.defaultSort = options.defaultSort ?? null;
  }
}

@MSONable(import.meta.url, {
  ...mongolike,
  omit: ['host', 'port', 'username', 'password', 'authSource'],
})
export class MongoURIStore extends MongoStore {
  @arg({ secret: true }) readonly uri: string;
  @arg() declare readonly collectionName: string;
  @option() declare readonly database: string;
  constructor(
    uri: string,
    collectionName: string,
    options: MongoOptions & { database?: string | null } = {},
  ) {
    super(options.database ?? new URL(uri).pathname.slice(1), collectionName, options);
    this.uri = uri;
  }
}

interface BuilderOptions {
  chunkSize?: number;
}

abstract class Builder {
  @option({ write: 'given' }) readonly chunkSize: number;
  constructor(options: BuilderOptions = {}) {
    markGiven(this, options);
    this.chunkSize = options.chunkSize ?? 1000;
  }
}

interface MapOptions extends BuilderOptions {
  query?: object | null;
  projection?: readonly string[] | null;
  deleteOrphans?: boolean;
  timeout?: number;
  storeProcessTime?: boolean;
  retryFailed?: boolean;
}

export abstract class MapBuilder extends Builder {
  @arg() readonly source: object;
  @arg() readonly target: object;
  @option({ criteria: true }) readonly query: object | null;
  @option() readonly projection: readonly string[] | null;
  @option() readonly deleteOrphans: boolean;
  @option() readonly timeout: number;
  @option() readonly storeProcessTime: boolean;
  @option() readonly retryFailed: boolean;
  constructor(source: object, target: object, options: MapOptions = {}) {
    super(options);
    this.source = source;
    this.target = target;
    this.query = options.query ?? null;
    this.projection = options.projection ?? null;
    this.deleteOrphans = options.deleteOrphans ?? false;
    this.timeout = options.timeout ?? 0;
    this.storeProcessTime = options.storeProcessTime ?? true;
    this.retryFailed = options.retryFailed ?? false;
  }
}

@MSONable(import.meta.url, {
  module: 'maggma.builders.map_builder',
  aliases: ['maggma.builders'],
  version: VERSION,
})
export class CopyBuilder extends MapBuilder {}

/** Python's test class of that name: one argument, and one with a default. */
@MSONable(import.meta.url, { module: 'golden_pkg.models', version: '1.2.3' })
export class Simple {
  @arg() readonly a: unknown;
  @option() readonly b: unknown;
  constructor(a: unknown, options: { b?: unknown } = {}) {
    this.a = a;
    this.b = options.b === undefined ? 2 : options.b;
  }
}
