import { isIP } from 'node:net';
import { InvalidOptionError } from '../../errors/option-errors.js';
import { redact } from '../../errors/redact.js';

const EXPECTED = 'a URL such as tcp://host:port or rediss://host:port';
const NO_AMQP = `${EXPECTED}; amqp:// is not offered, because a lease there is a connection: each interruption would run all chunks in flight again, and the broker cannot be asked what is done`;

/** What is said of URLs that cannot be used, whatever engines there are. */
const REFUSED: Readonly<Record<string, string>> = {
  amqp: NO_AMQP,
  amqps: NO_AMQP,
};

/**
 * Reads where manager and workers meet.
 *
 * @param schemes - Those of the engines that there are.
 * @throws {@link InvalidOptionError} for a URL that no engine serves, with what to use instead. Passwords are masked.
 */
export function parseEngineUrl(text: string, schemes: readonly string[]): URL {
  const refuse = (expected: string) => new InvalidOptionError('url', expected, redact(text));
  if (typeof text !== 'string' || !URL.canParse(text)) throw refuse(EXPECTED);
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  if (scheme === 'redis' && !isLoopback(url) && !url.searchParams.has('allowInsecure'))
    throw refuse(
      'rediss://, because others could listen between this machine and that host; ?allowInsecure says that nobody can',
    );
  const refused = REFUSED[scheme];
  if (refused !== undefined) throw refuse(refused);
  if (!schemes.includes(scheme) || url.hostname === '') throw refuse(EXPECTED);
  return url;
}

/** Tells whether only this machine can reach the host of a URL. */
export function isLoopback({ hostname }: URL): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
