import { inspect } from 'node:util';
import { deserialize, serialize } from 'bson';
import type { Collection, FindOptions, MongoClient } from 'mongodb';
import { InvalidOptionError } from '../../errors/option-errors.js';
import { StoreNotConnectedError } from '../../errors/store-errors.js';
import { arg, MSONable, option } from '../../msonable/decorators.js';
import { fromDict, loadfn } from '../../msonable/load.js';
import type { Criteria, Filter } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import type { SortSpec } from '../../query/sort.js';
import { resolveReference, resolveSecret } from '../../util/secret-reference.js';
import type { ClaimBoard } from '../claim-board.js';
import type { Cursor } from '../cursor.js';
import { RawDocument } from '../raw-document.js';
import type { Find } from '../store.js';
import { Store } from '../store.js';
import type { StoreCapabilities } from '../store-capabilities.js';
import type { QueryOptions, Refusal } from '../store-options.js';
import type { ClaimDocument } from './mongo-claims.js';
import { CLAIMS_COLLECTION, MongoClaim } from './mongo-claims.js';
import type { MongoEndpoint } from './mongo-connection.js';
import { connectMongo } from './mongo-connection.js';
import { compileForServer } from './mongo-criteria.js';
import { isTooLarge, readError } from './mongo-errors.js';
import { canonicalHosts, parseHosts, toAuthority } from './mongo-hosts.js';
import { ensureIndex } from './mongo-indexes.js';
import type { MongoStoreOptions } from './mongo-options.js';
import { assertCollectionName, assertDatabaseName, resolveMongoOptions } from './mongo-options.js';
import { replaceDocuments } from './mongo-replace.js';
import { resolveDriverOptions, SECRET_OPTIONS } from './mongo-secrets.js';

/**
 * Documents in a collection of a MongoDB server.
 *
 * `connect()` loads the driver and verifies that the server answers. Criteria go to the server as they are, so that
 * they may use whatever it understands (`$text`, `$geoWithin`, …) except code. `count()` without criteria takes the
 * server's own estimate for collections of more than 100 000 documents. Give the key a unique index where several
 * processes write: without one MongoDB may insert the same key twice.
 *
 * @example
 * ```ts
 * const tasks = new MongoStore('lab', 'tasks', { host: 'db.example.org', username: 'me', password });
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.mongolike',
  aliases: ['maggma.stores'],
  version: '0.74.0',
})
export class MongoStore<T extends object = Doc> extends Store<T> {
  /** Name of the database. */
  @arg() readonly database: string;
  /** Name of the collection. */
  @arg() readonly collectionName: string;
  /** Name or address of the server, or a reference to it. */
  @option() readonly host: string;
  /** Its TCP port. */
  @option() readonly port: number;
  /** Who logs in, or a reference to that; empty for nobody. */
  @option() readonly username: string;
  /** The password of the user, or a reference to it. */
  @option({ secret: true }) readonly password: string;
  /** Python's; always null here. */
  @option() readonly sshTunnel: null;
  /** Whether documents that the server refuses are set aside. */
  @option() readonly safeUpdate: boolean;
  /** The database that knows the user. */
  @option() readonly authSource: string;
  /** Further options of the driver. */
  @option({ secret: SECRET_OPTIONS }) readonly mongoclientKwargs: Readonly<Record<string, unknown>>;
  /** The order of queries that ask for none. */
  @option() readonly defaultSort: SortSpec | null;

  #client: MongoClient | undefined;
  #collection: Collection<Doc> | undefined;

  /**
   * @param database - Name of the database.
   * @param collectionName - Name of the collection; it need not exist.
   * @param options - Where the server is, and as {@link MongoStoreOptions} says.
   */
  constructor(database: string, collectionName: string, options: MongoStoreOptions = {}) {
    super(options);
    const { host = 'localhost', port = 27017, username = '', password = '', authSource } = options;
    assertDatabaseName(database);
    assertCollectionName(collectionName);
    if (typeof host !== 'string' || host.includes('://'))
      // A connection string holds a password, so it is not shown.
      throw new InvalidOptionError(
        'host',
        'the name of a host (a MongoURIStore takes URIs)',
        '***',
      );
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new InvalidOptionError('port', 'a number from 1 to 65535', port);
    parseHosts('host', host, host, port);
    if (typeof username !== 'string') throw new InvalidOptionError('username', 'a text', username);
    if (typeof password !== 'string') throw new InvalidOptionError('password', 'a text', '***');
    const resolved = resolveMongoOptions(options);
    this.database = database;
    this.collectionName = collectionName;
    this.host = host;
    this.port = port;
    this.username = username;
    this.password = password;
    this.sshTunnel = null;
    this.safeUpdate = resolved.safeUpdate;
    this.authSource = authSource ?? database;
    this.mongoclientKwargs = resolved.mongoclientKwargs;
    this.defaultSort = resolved.defaultSort;
  }

  /**
   * Makes a store of a file that describes one, as other tools for materials data use them.
   *
   * @param file - JSON or YAML with `database`, `collection`, `host`, `port`, `username`, `password` and other options
   * under their Python names.
   */
  static async fromDbFile(file: string): Promise<MongoStore> {
    const { aliases, collection, ...settings } = await loadfn<Doc>(file);
    return fromDict<MongoStore>({
      '@module': 'maggma.stores.mongolike',
      '@class': 'MongoStore',
      ...(collection !== undefined && { collection_name: collection }),
      ...settings,
    });
  }

  get name(): string {
    return `mongo://${this.host}/${this.database}/${this.collectionName}`;
  }

  get identity(): string {
    const hosts = canonicalHosts(parseHosts('host', this.host, this.host, this.port));
    return `mongodb:${hosts}/${this.database}/${this.collectionName}`;
  }

  get capabilities(): StoreCapabilities {
    return {
      writable: true,
      removal: true,
      sortedScan: true,
      rawBatches: true,
      crossProcess: true,
    };
  }

  override claimBoard(): ClaimBoard | null {
    const claims = this.#client?.db(this.database).collection<ClaimDocument>(CLAIMS_COLLECTION);
    return claims === undefined ? null : new MongoClaim(claims, this.collectionName);
  }

  /** What a console shows: no password. */
  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.name} }`;
  }

  override query(criteria: Criteria = {}, options: QueryOptions = {}): Cursor<T> {
    const { sort = {} } = options;
    const isSorted = this.defaultSort === null || Object.keys(sort).length > 0;
    return super.query(criteria, isSorted ? options : { ...options, sort: this.defaultSort });
  }

  /**
   * Where the store connects, and as whom.
   *
   * @internal
   */
  protected async endpoint(): Promise<MongoEndpoint> {
    const owner = this.name;
    const host = await resolveReference(this.host, { owner, option: 'host' });
    const username = await resolveReference(this.username, { owner, option: 'username' });
    const password = await resolveSecret(this.password, { owner, option: 'password' });
    const hosts = parseHosts('host', host, host, this.port).map(toAuthority).join(',');
    const { authSource } = this;
    const login = username === '' ? {} : { auth: { username, password }, authSource };
    return {
      uri: `mongodb://${hosts}/`,
      options: { ...login, ...(await resolveDriverOptions(this.mongoclientKwargs, owner)) },
      servers: hosts,
      username,
      hasTimeout: false,
    };
  }

  protected async open(): Promise<void> {
    this.#client = await connectMongo(this.name, this.database, await this.endpoint());
    const database = this.#client.db(this.database);
    this.#collection = database.collection<Doc>(this.collectionName, DRIVER_OPTIONS);
  }

  protected async shut(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#collection = undefined;
    await client?.close();
  }

  protected override compile(criteria: Criteria): Filter {
    return compileForServer(criteria);
  }

  protected async *findBatches(find: Find, size: number): AsyncGenerator<T[], void, undefined> {
    // Decoded here, not by the driver, whose ObjectIds and Binaries are of other classes than ours.
    for await (const documents of this.findRawBatches(find, size))
      yield documents.map((document) => document.decode() as T);
  }

  protected override async *findRawBatches(
    find: Find,
    size: number,
  ): AsyncGenerator<RawDocument[], void, undefined> {
    const cursor = this.#live('query').find(find.filter.criteria, findOptions(find, size));
    try {
      while (await cursor.hasNext()) {
        const documents = cursor.readBufferedDocuments(size) as unknown as Uint8Array[];
        yield documents.map((bytes) => new RawDocument(bytes));
      }
      find.signal?.throwIfAborted();
      // A cursor whose client is closed says that it is at its end.
      if (cursor.killed) throw new StoreNotConnectedError(this.name, 'query');
    } catch (error) {
      throw readError(error);
    } finally {
      await cursor.close();
    }
  }

  protected override async countMatches(filter: Filter): Promise<number> {
    const collection = this.#live('count');
    return readAnswer(async () => {
      if (Object.keys(filter.criteria).length === 0) {
        const estimate = await collection.estimatedDocumentCount();
        if (estimate > COUNTED_AT_MOST) return estimate;
      }
      return collection.countDocuments(filter.criteria);
    });
  }

  protected override async distinctValues(field: string, filter: Filter): Promise<unknown[]> {
    try {
      const values = await this.#live('distinct').distinct(field, filter.criteria);
      return values.map(ownClasses);
    } catch (error) {
      // The server answers in one message, which may be too small; read document by document it is not.
      if (isTooLarge(error)) return super.distinctValues(field, filter);
      throw readError(error);
    }
  }

  protected replace(docs: Doc[], key: readonly string[]): Promise<readonly Refusal[]> {
    const options = { store: this.name, safeUpdate: this.safeUpdate };
    return replaceDocuments(this.#live('update'), docs, key, options);
  }

  protected async remove(filter: Filter): Promise<number> {
    const collection = this.#live('removeDocs');
    const { deletedCount } = await readAnswer(() => collection.deleteMany(filter.criteria));
    return deletedCount;
  }

  protected index(fields: readonly string[], unique: boolean): Promise<boolean> {
    return ensureIndex(this.#live('ensureIndex'), fields, unique);
  }

  /** The collection; a query that is being read may find the store closed. */
  #live(operation: string): Collection<Doc> {
    if (this.#collection === undefined) throw new StoreNotConnectedError(this.name, operation);
    return this.#collection;
  }
}

/** Counting these takes less than the blink of an eye; the estimate of some servers is far off. */
const COUNTED_AT_MOST = 100_000;

/** Whatever `mongoclientKwargs` say, values are written and read in one way. */
const DRIVER_OPTIONS = {
  ignoreUndefined: false,
  serializeFunctions: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
} as const;

function findOptions(find: Find, size: number): FindOptions {
  const { projection, sort, skip, limit, hint, signal } = find;
  return {
    raw: true,
    batchSize: size,
    ...(projection !== null && { projection: projection.spec }),
    ...(sort !== null && { sort: sort.spec, allowDiskUse: true }),
    ...(skip > 0 && { skip }),
    ...(limit > 0 && { limit }),
    ...(hint !== undefined && { hint }),
    ...(signal !== undefined && { signal }),
  };
}

async function readAnswer<R>(ask: () => Promise<R>): Promise<R> {
  try {
    return await ask();
  } catch (error) {
    throw readError(error);
  }
}

/** The same value, made of our copy of the `bson` package. */
function ownClasses(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return deserialize(serialize({ value }))['value'];
}
