import { InvalidOptionError } from '../../errors/option-errors.js';
import type { MongoHost } from './mongo-hosts.js';
import { parseHosts } from './mongo-hosts.js';

/** What a connection string says, as far as a store must know it before the driver is loaded. */
export interface MongoUri {
  /** `mongodb+srv`: the servers are found by DNS, under the one host. */
  readonly isSrv: boolean;
  readonly hosts: readonly MongoHost[];
  readonly username: string;
  readonly password: string;
  /** Undefined when the path names none. */
  readonly database: string | undefined;
  /** Lower-case names of its parameters. */
  readonly parameters: ReadonlySet<string>;
}

const EXPECTED =
  'a connection string such as "mongodb://user:password@host:27017/database" (with %-escapes for : / ? # [ ] @ in user and password)';

const URI =
  /^mongodb(\+srv)?:\/\/(?:([^:@/?#]+)(?::([^@/?#]*))?@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\?([^#]*))?$/i;

/**
 * Reads a connection string.
 *
 * @throws {@link InvalidOptionError} for what is none; its message shows neither user nor password.
 */
export function parseMongoUri(uri: unknown): MongoUri {
  const shown = typeof uri === 'string' ? withoutCredentials(uri) : typeof uri;
  const refuse = (): InvalidOptionError => new InvalidOptionError('uri', EXPECTED, shown);
  const parts = typeof uri === 'string' ? URI.exec(uri) : null;
  if (parts === null) throw refuse();
  const [, srv, username = '', password = '', list = '', path = '', query = ''] = parts;
  const isSrv = srv !== undefined;
  // The port of a name that DNS resolves comes from there.
  if (isSrv && /[,:]/.test(list)) throw refuse();
  try {
    return {
      isSrv,
      hosts: parseHosts('uri', list, shown),
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: path === '' ? undefined : decodeURIComponent(path),
      parameters: new Set([...new URLSearchParams(query).keys()].map((key) => key.toLowerCase())),
    };
  } catch (error) {
    throw error instanceof URIError ? refuse() : error;
  }
}

/** What is known of a connection string that is only referred to, by `$env:NAME` or `$file:path`: that. */
export function referredUri(reference: string): MongoUri {
  return {
    isSrv: false,
    hosts: [{ name: reference, port: 0 }],
    username: '',
    password: '',
    database: undefined,
    parameters: new Set(),
  };
}

/** The same connection string with another password. */
export function withPassword(uri: string, password: string): string {
  return uri.replace(
    /^(mongodb(?:\+srv)?:\/\/[^:@/?#]+:)[^@/?#]*(?=@)/i,
    (_, before: string) => `${before}${encodeURIComponent(password)}`,
  );
}

/**
 * What may be shown of a text that perhaps is no connection string: a password with a stray `@` or `/` must not
 * slip through, so everything up to the last `@` is left out, and all of it where there is none.
 */
function withoutCredentials(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const [place = ''] = rest.slice(at + 1).split('?');
  return `${scheme}***${at < 0 ? '' : `@${place}`}`;
}
