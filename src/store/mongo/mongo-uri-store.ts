import { InvalidOptionError } from '../../errors/option-errors.js';
import { MSONable } from '../../msonable/decorators.js';
import type { Doc } from '../../query/document.js';
import type { MongoEndpoint } from './mongo-connection.js';
import { canonicalHosts, toAuthority } from './mongo-hosts.js';
import type { MongoURIStoreOptions } from './mongo-options.js';
import { MongoStore } from './mongo-store.js';
import type { MongoUri } from './mongo-uri.js';
import { parseMongoUri } from './mongo-uri.js';

/**
 * A {@link MongoStore} whose server is given by a connection string: several hosts, `mongodb+srv`, and all the
 * parameters that the driver knows.
 *
 * @example
 * ```ts
 * const tasks = new MongoURIStore('mongodb+srv://me:secret@cluster.example.net/lab', 'tasks');
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.stores.mongolike',
  aliases: ['maggma.stores'],
  version: '0.74.0',
  args: [{ property: 'uri', secret: true }, 'collectionName'],
  options: ['database'],
  omit: ['host', 'port', 'username', 'password', 'authSource'],
})
export class MongoURIStore<T extends object = Doc> extends MongoStore<T> {
  /** The connection string, with the password in it. */
  readonly uri: string;

  readonly #parsed: MongoUri;

  /**
   * @param uri - The connection string; users and databases of it are percent-encoded.
   * @param collectionName - Name of the collection; it need not exist.
   * @param options - As {@link MongoURIStoreOptions} says.
   */
  constructor(uri: string, collectionName: string, options: MongoURIStoreOptions = {}) {
    const parsed = parseMongoUri(uri);
    const { database = null, ...shared } = options;
    const name = database ?? parsed.database;
    if (name === undefined)
      throw new InvalidOptionError('database', 'a name, because the URI has none', database);
    super(name, collectionName, { ...shared, ...addressOf(parsed) });
    this.uri = uri;
    this.#parsed = parsed;
  }

  override get name(): string {
    const hosts = this.#parsed.hosts.map((host) => host.name).join(',');
    return `mongo://${hosts}/${this.database}/${this.collectionName}`;
  }

  override get identity(): string {
    const { isSrv, hosts } = this.#parsed;
    const where = isSrv
      ? `mongodb+srv:${hosts[0]?.name.toLowerCase()}`
      : `mongodb:${canonicalHosts(hosts)}`;
    return `${where}/${this.database}/${this.collectionName}`;
  }

  /** @internal */
  protected override endpoint(): MongoEndpoint {
    const { isSrv, hosts, username, password, escapedPassword, parameters } = this.#parsed;
    return {
      uri: this.uri,
      options: this.mongoclientKwargs,
      servers: hosts.map((host) => (isSrv ? host.name : toAuthority(host))).join(','),
      username,
      secrets: [password, escapedPassword],
      hasTimeout: parameters.has('serverselectiontimeoutms'),
    };
  }
}

/** What the base class holds in its own fields: for people, the URI counts. */
function addressOf({ hosts, username }: MongoUri): {
  host: string;
  port?: number;
  username: string;
} {
  const [first] = hosts;
  const host = hosts.map((each) => (hosts.length === 1 ? each.name : toAuthority(each))).join(',');
  return { host, ...(first && first.port > 0 && { port: first.port }), username };
}
