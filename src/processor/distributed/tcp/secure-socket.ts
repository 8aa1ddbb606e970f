import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import { connect, createServer } from 'node:tls';
import {
  DistributedAddressError,
  DistributedAuthError,
} from '../../../errors/distributed-errors.js';
import { InvalidOptionError } from '../../../errors/option-errors.js';
import { tlsKey } from '../keys.js';
import { HELLO_MS } from './timings.js';

const IDENTITY = 'maggma';
/** The hash of the cipher is the one that OpenSSL assumes for pre-shared keys. */
const TLS: TlsOptions = {
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
};

/** Where manager and workers meet. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws {@link InvalidOptionError} for a URL without a port. */
export function endpointOf(url: URL): Endpoint {
  if (url.port === '')
    throw new InvalidOptionError('url', 'a URL with a port, such as tcp://host:7417', url.href);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) };
}

/** `tcp://host:port`, with brackets where they are needed. */
export function addressOf({ host, port }: Endpoint): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A server that completes handshakes only with those who know the secret. */
export function createSecureServer(secret: Uint8Array): Server {
  const key = tlsKey(secret);
  return createServer({
    ...TLS,
    pskCallback: (_socket, identity) => (identity === IDENTITY ? key : null),
  });
}

/**
 * Connects to a manager that knows the secret.
 *
 * @throws {@link DistributedAuthError} when it does not.
 * @throws {@link DistributedAddressError} for a host that does not exist.
 */
export async function connectSecurely(
  endpoint: Endpoint,
  secret: Uint8Array,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const address = addressOf(endpoint);
  const options = {
    ...endpoint,
    ...TLS,
    pskCallback: () => ({ psk: tlsKey(secret), identity: IDENTITY }),
    // A certificate proves nothing here, whoever signed it.
    ca: [],
    checkServerIdentity: () => new DistributedAuthError(address),
  };
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    const fail = (error: Error) => {
      socket.destroy();
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      reject(error);
    };
    const abort = () => fail(signal.reason as Error);
    const timer = setTimeout(
      () => fail(new DistributedAddressError(`Nobody answers at ${address}`)),
      HELLO_MS,
    );
    signal.addEventListener('abort', abort, { once: true });
    // It is listened to until the end: a socket may complain more than once.
    socket.on('error', (error) => fail(explain(error, address)));
    socket.once('secureConnect', () => {
      if (Object.keys(socket.getPeerCertificate()).length > 0)
        return fail(new DistributedAuthError(address));
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve(socket.setNoDelay(true));
    });
  });
}

function explain(error: NodeJS.ErrnoException, address: string): Error {
  const { code, syscall } = error;
  if (code === 'ENOTFOUND')
    return new DistributedAddressError(
      `There is no host of the name in ${address}: check its spelling, and the name server`,
      { cause: error },
    );
  // Complaints of the system are not of TLS: the manager may just not be there.
  if (syscall !== undefined || code === 'ECONNRESET')
    return new DistributedAddressError(`Cannot connect to ${address}: ${error.message}`, {
      cause: error,
    });
  return new DistributedAuthError(address, { cause: error });
}
