import { InvalidOptionError } from '../../errors/option-errors.js';
import { isSecretReference } from '../../errors/redact.js';

const DEFAULT_PORT = 27017;

/** One server of a deployment. */
export interface MongoHost {
  /**
   * Its name or address, without the brackets of an IPv6 address; a path for a socket in the file system; a reference
   * to where hosts are named.
   */
  readonly name: string;
  /** 0 for a socket in the file system, or a reference. */
  readonly port: number;
}

/**
 * Reads a list of hosts as it stands in a connection string: `a,b:27018,[::1]:27017`.
 *
 * @param option - Name of the option that holds it, for messages.
 * @param shown - What a message may show of that option.
 * @param defaultPort - For hosts without a port of their own.
 * @throws {@link InvalidOptionError} for what is no host.
 */
export function parseHosts(
  option: string,
  list: string,
  shown: unknown,
  defaultPort = DEFAULT_PORT,
): MongoHost[] {
  if (isSecretReference(list)) return [{ name: list, port: 0 }];
  return list.split(',').map((text) => {
    const host = parseHost(text.trim(), defaultPort);
    if (host === undefined)
      throw new InvalidOptionError(option, 'hosts such as "a", "a:27017" or "[::1]:27017"', shown);
    return host;
  });
}

/** The host as a connection string names it: `a:27017`, `[::1]:27017`, `%2Ftmp%2Fa.sock`. */
export function toAuthority({ name, port }: MongoHost): string {
  if (port === 0) return encodeURIComponent(name);
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Equal for two ways to write the same hosts. */
export function canonicalHosts(hosts: readonly MongoHost[]): string {
  const canonical = hosts.map((host) =>
    host.port === 0 ? host.name : toAuthority(host).toLowerCase(),
  );
  return canonical.sort().join(',');
}

function parseHost(text: string, defaultPort: number): MongoHost | undefined {
  // Only the path of a socket is escaped; the zone of an IPv6 address has a percent sign of its own.
  const path = /^%2f/i.test(text) ? decode(text) : text;
  if (path?.startsWith('/')) return { name: path, port: 0 };
  // A bare IPv6 address has several colons, and so no port.
  if (/^[\da-f.]*:[\da-f.]*:[\da-f:.]*(?:%\w+)?$/i.test(text))
    return { name: text, port: defaultPort };
  const parts = /^(?:\[([\da-f:.]+(?:%\w+)?)\]|([^\s[\]:@/?#"<>\\]+))(?::(\d{1,5}))?$/i.exec(text);
  if (parts === null) return undefined;
  const [, address, name = address, digits] = parts;
  const port = digits === undefined ? defaultPort : Number(digits);
  return name === undefined || port < 1 || port > 65_535 ? undefined : { name, port };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
