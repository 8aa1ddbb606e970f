import { InvalidOptionError } from '../../../errors/option-errors.js';
import { redact } from '../../../errors/redact.js';
import { secretMark } from '../keys.js';

const QUEUE = /^[\w.-]{1,100}$/;
const DATABASE = /^\/?\d*$/;
const PARAMETERS = ['queue', 'allowVolatile', 'allowInsecure'];

/** Where in which Redis manager and workers with one secret meet. */
export interface Place {
  /** For the driver: with user and password, without our parameters. */
  readonly url: string;
  /** For people, and for the command line of workers: no secrets. */
  readonly address: string;
  /** What all keys begin with; in braces, so that a cluster keeps them together. */
  readonly prefix: string;
  /** Whether a Redis may be used that remembers nothing when it is started again. */
  readonly allowVolatile: boolean;
}

/**
 * Reads `redis://user:password@host:port/db`, with the parameters `queue` (to keep apart what has the same secret and Redis),
 * `allowVolatile` and `allowInsecure`.
 *
 * @throws {@link InvalidOptionError} for a parameter that there is not, and for a path that is no number.
 */
export function placeOf({ href }: URL, secret: Uint8Array): Place {
  const url = new URL(href);
  const queue = url.searchParams.get('queue');
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  const isPlace = DATABASE.test(url.pathname) && (queue === null || QUEUE.test(queue));
  if (unknown !== undefined || !isPlace)
    throw new InvalidOptionError(
      'url',
      'a URL such as rediss://host:6379/0?queue=name, with the number of a database and no parameters but queue (letters, digits, `_`, `.`, `-`), allowVolatile and allowInsecure',
      redact(href),
    );
  const allowVolatile = url.searchParams.has('allowVolatile');
  const address = `${url.protocol}//${url.host}${url.pathname}${url.search}`;
  url.search = '';
  const mark = secretMark(secret);
  const prefix = `{maggma:${queue === null ? mark : `${mark}:${queue}`}}`;
  return { url: url.href, address, prefix, allowVolatile };
}
