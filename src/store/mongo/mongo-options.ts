import { InvalidOptionError } from '../../errors/option-errors.js';
import { isDocument } from '../../query/bson-kind.js';
import type { SortSpec } from '../../query/sort.js';
import { compileSort } from '../../query/sort.js';
import { assertBoolean, assertNonEmptyString } from '../../util/assert-option.js';
import type { StoreOptions } from '../store-options.js';

/** Options that {@link MongoStore} and {@link MongoURIStore} share. */
export interface MongoOptions extends StoreOptions {
  /**
   * Kept for Python's files: tunnels are not available in this version.
   * @defaultValue `null`
   */
  readonly sshTunnel?: null | undefined;
  /**
   * True sets aside the documents that the server refuses (larger than 16 MB, …) and stores the others; false makes
   * `update` fail.
   * @defaultValue `false`
   */
  readonly safeUpdate?: boolean | undefined;
  /**
   * Further options of the driver's `MongoClient`, such as `serverSelectionTimeoutMS` (10 000 unless given), `tls` or
   * `readPreference`.
   * @defaultValue `null`: none
   */
  readonly mongoclientKwargs?: Readonly<Record<string, unknown>> | null | undefined;
  /**
   * The order of queries that ask for none.
   * @defaultValue `null`: the server's own order
   */
  readonly defaultSort?: SortSpec | null | undefined;
}

/** Options of {@link MongoStore}. */
export interface MongoStoreOptions extends MongoOptions {
  /**
   * Name or address of the server. This, `username` and `password` may be references that are resolved when the store
   * is opened: `$env:NAME` or `$file:path`.
   * @defaultValue `'localhost'`
   */
  readonly host?: string | undefined;
  /**
   * Its TCP port.
   * @defaultValue `27017`
   */
  readonly port?: number | undefined;
  /**
   * Who logs in; empty for a server that asks nobody.
   * @defaultValue `''`
   */
  readonly username?: string | undefined;
  /**
   * The password of `username`.
   * @defaultValue `''`
   */
  readonly password?: string | undefined;
  /**
   * The database that knows the user.
   * @defaultValue `null`: the store's database
   */
  readonly authSource?: string | null | undefined;
}

/** Options of {@link MongoURIStore}. */
export interface MongoURIStoreOptions extends MongoOptions {
  /**
   * Name of the database; needed when the URI is a reference.
   * @defaultValue the one in the URI
   */
  readonly database?: string | null | undefined;
}

/** @internal */
export interface ResolvedMongoOptions {
  readonly safeUpdate: boolean;
  readonly mongoclientKwargs: Readonly<Record<string, unknown>>;
  readonly defaultSort: SortSpec | null;
}

/**
 * Checks what both stores share.
 *
 * @internal
 */
export function resolveMongoOptions(options: MongoOptions): ResolvedMongoOptions {
  const { sshTunnel = null, safeUpdate = false, mongoclientKwargs, defaultSort = null } = options;
  if (sshTunnel !== null)
    throw new InvalidOptionError(
      'sshTunnel',
      'null, because tunnels are not available in this version (forward a port with `ssh -L` instead)',
      // Not the object itself: it may hold a password.
      typeof sshTunnel,
    );
  assertBoolean('safeUpdate', safeUpdate);
  const kwargs = mongoclientKwargs ?? {};
  if (!isDocument(kwargs))
    throw new InvalidOptionError('mongoclientKwargs', 'an object or null', typeof kwargs);
  return {
    safeUpdate,
    mongoclientKwargs: Object.freeze({ ...kwargs }),
    defaultSort: defaultSort === null ? null : resolveSort(defaultSort),
  };
}

/** Throws {@link InvalidOptionError} for a name that no database can have. */
export function assertDatabaseName(database: unknown): asserts database is string {
  assertNonEmptyString('database', database);
  if (/[\s./\\$"\0]/.test(database))
    throw new InvalidOptionError('database', 'a name without spaces and ./\\$"', database);
}

/** Throws {@link InvalidOptionError} for a name that no collection can have. */
export function assertCollectionName(name: unknown): asserts name is string {
  assertNonEmptyString('collectionName', name);
  if (/[$\0]|^\.|\.$|\.\./.test(name))
    throw new InvalidOptionError(
      'collectionName',
      'a name without $ that neither starts nor ends with a dot',
      name,
    );
}

function resolveSort(sort: SortSpec): SortSpec {
  try {
    return Object.freeze(compileSort(sort).spec);
  } catch {
    throw new InvalidOptionError('defaultSort', 'fields with 1 or -1', sort);
  }
}
