import { InvalidOptionError, SecretReferenceError } from '../../errors/option-errors.js';
import { isSecretReference } from '../../errors/redact.js';
import { MSONable } from '../../msonable/decorators.js';
import type { Doc } from '../../query/document.js';
import type { SecretPlace } from '../../util/secret-reference.js';
import { resolveSecret } from '../../util/secret-reference.js';
import type { MongoEndpoint } from './mongo-connection.js';
import { canonicalHosts, toAuthority } from './mongo-hosts.js';
import type { MongoURIStoreOptions } from './mongo-options.js';
import { resolveDriverOptions } from './mongo-secrets.js';
import { MongoStore } from './mongo-store.js';
import type { MongoUri } from './mongo-uri.js';
import { parseMongoUri, referredUri, withPassword } from './mongo-uri.js';

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
  /** The connection string, with the password or a reference in it, or a reference to the whole. */
  readonly uri: string;

  readonly #parsed: MongoUri;

  /**
   * @param uri - The connection string; users and databases of it are percent-encoded. It may be a reference,
   * `$env:NAME` or `$file:path`, and so may its password: `mongodb://me:$env:PASSWORD@host/lab`.
   * @param collectionName - Name of the collection; it need not exist.
   * @param options - As {@link MongoURIStoreOptions} says.
   */
  constructor(uri: string, collectionName: string, options: MongoURIStoreOptions = {}) {
    const isReferred = typeof uri === 'string' && isSecretReference(uri);
    const parsed = isReferred ? referredUri(uri) : parseMongoUri(uri);
    const { database = null, ...shared } = options;
    const name = database ?? parsed.database;
    if (name === undefined)
      throw new InvalidOptionError(
        'database',
        `a name, because the URI ${isReferred ? 'is read only when the store is opened' : 'has none'}`,
        database,
      );
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
  protected override async endpoint(): Promise<MongoEndpoint> {
    const uri = await this.#resolved();
    const { isSrv, hosts, username, parameters } = parseMongoUri(uri);
    return {
      uri,
      options: await resolveDriverOptions(this.mongoclientKwargs, this.name),
      servers: hosts.map((host) => (isSrv ? host.name : toAuthority(host))).join(','),
      username,
      hasTimeout: parameters.has('serverselectiontimeoutms'),
    };
  }

  /** The connection string itself, when it is a reference or has one in place of its password. */
  async #resolved(): Promise<string> {
    const place = { owner: this.name, option: 'uri' };
    if (isSecretReference(this.uri))
      return assertUri(await resolveSecret(this.uri, place), place, this.uri);
    const { password } = this.#parsed;
    const resolved = await resolveSecret(password, place);
    return resolved === password ? this.uri : withPassword(this.uri, resolved);
  }
}

function assertUri(uri: string, place: SecretPlace, reference: string): string {
  try {
    parseMongoUri(uri);
    return uri;
  } catch (cause) {
    const problem = 'it does not hold a connection string such as "mongodb://host:27017"';
    throw new SecretReferenceError(place, reference, problem, { cause });
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
