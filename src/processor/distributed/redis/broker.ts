import type { Redis } from 'ioredis';
import { BrokerError, DistributedAddressError } from '../../../errors/distributed-errors.js';
import type { Logger } from '../../../util/logger.js';
import type { Peers } from './peers.js';
import type { Place } from './place.js';

const CONNECT_MS = 5000;
const RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;
const OLDEST = [6, 2] as const;

/**
 * Connects to a Redis; when the connection breaks later, it is made again, and what was asked meanwhile is answered then.
 *
 * @throws {@link DistributedAddressError} when nobody answers.
 * @throws {@link BrokerError} when it does not let us in.
 */
export async function connectBroker(place: Place, peers: Peers, logger: Logger): Promise<Redis> {
  let wasReady = false;
  let problem: unknown;
  const client = new peers.Redis(place.url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (wasReady ? Math.min(RETRY_MS * times, LONGEST_RETRY_MS) : null),
  });
  client.on('error', (error) => {
    // What follows from it is of no interest.
    problem ??= error;
    logger.debug(`${place.address}: ${error.message}`);
  });
  const timer = setTimeout(() => {
    problem ??= new RangeError(`no Redis answered within ${CONNECT_MS / 1000} s`);
    client.disconnect();
  }, CONNECT_MS);
  try {
    await client.connect();
    // There may be a connection all the same: to another database than was asked for.
    if (problem !== undefined) throw problem;
    // Only the right node of a cluster answers.
    await client.exists(`${place.prefix}:`);
  } catch (error) {
    client.disconnect();
    throw explain(problem ?? error, place);
  } finally {
    clearTimeout(timer);
  }
  wasReady = true;
  let isBroken = false;
  client.on('reconnecting', () => {
    if (!isBroken) logger.warn(`The connection to ${place.address} is broken: it is made again`);
    isBroken = true;
  });
  client.on('ready', () => {
    if (isBroken) logger.info(`There is a connection to ${place.address} again`);
    isBroken = false;
  });
  return client;
}

/**
 * Looks whether a Redis keeps what it is told.
 *
 * @throws {@link BrokerError} when it does not, with how to mend it.
 */
export async function assertFit(client: Redis, place: Place): Promise<void> {
  const info = await infoOf(client, place);
  const refuse = (problem: string) => new BrokerError(place.address, problem);
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw refuse(
      `has version ${version}, expected ${OLDEST.join('.')} at least: install a newer one`,
    );
  if (info.get('role') === 'slave')
    throw refuse(
      `is a replica, which keeps nothing of ours: name ${info.get('master_host')}:${info.get('master_port')}`,
    );
  const policy = info.get('maxmemory_policy');
  if (policy !== 'noeviction')
    throw refuse(
      `forgets chunks when its memory is full (maxmemory-policy ${policy}): set \`maxmemory-policy noeviction\``,
    );
  if (info.get('aof_enabled') !== '1' && !place.allowVolatile)
    throw refuse(
      'forgets the run when it is started again, because it has no AOF: set `appendonly yes`, or add `?allowVolatile` to the URL to begin anew in that case',
    );
}

async function infoOf(client: Redis, place: Place): Promise<Map<string, string>> {
  try {
    const lines = (await client.info()).split(/\r?\n/);
    return new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
    );
  } catch (error) {
    throw explain(error, place);
  }
}

/** Says what is wrong. What Redis itself says is no cause: it names the command, and with that the password. */
function explain(error: unknown, { address }: Place): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const [, node] = /^MOVED \d+ (\S+)$/.exec(message) ?? [];
  if (node !== undefined)
    return new BrokerError(
      address,
      `is a node of a cluster, and another one is ours: name ${node}`,
    );
  if (/^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)/.test(message))
    return new BrokerError(address, 'wants another user or password: put them into the URL');
  if (/^[A-Z]{2,} /.test(message)) return new BrokerError(address, `refuses us: ${message}`);
  const options = { cause: error };
  if (code === 'ENOTFOUND')
    return new DistributedAddressError(
      `There is no host of the name in ${address}: check its spelling, and the name server`,
      options,
    );
  const what = address.startsWith('rediss:') ? 'a Redis with TLS' : 'a Redis without TLS';
  return new DistributedAddressError(
    `Cannot connect to ${address}: ${message}; check host and port, and that ${what} is running there`,
    options,
  );
}
