import type { MongoClient, MongoClientOptions } from 'mongodb';
import { redact } from '../../errors/redact.js';
import { StoreConnectionError } from '../../errors/store-errors.js';
import { codeOf } from './mongo-errors.js';

const SELECTION_TIMEOUT_MS = 10_000;

/** Options of pymongo alone, which files written by Python may hold: they have no meaning here. */
const PYTHON_ONLY: readonly string[] = [
  'connect',
  'tz_aware',
  'unicode_decode_error_handler',
  'uuidRepresentation',
];

/** Where to connect, and as whom. */
export interface MongoEndpoint {
  readonly uri: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The servers, for messages: `host:port`, several with commas. */
  readonly servers: string;
  readonly username: string;
  /** True when the URI says how long to look for a server. */
  readonly hasTimeout: boolean;
}

/**
 * Connects and asks the server for a sign of life.
 *
 * @param store - Name of the store, for messages.
 * @throws {@link StoreConnectionError} naming the servers; nothing is left open then.
 */
export async function connectMongo(
  store: string,
  database: string,
  endpoint: MongoEndpoint,
): Promise<MongoClient> {
  // Not at the top: a program that names a store need not have a server, and loading the driver takes its time.
  const { MongoClient } = await import('mongodb');
  const started = performance.now();
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(endpoint.uri, clientOptions(endpoint));
    await client.connect();
    await client.db(database).command({ ping: 1 });
    return client;
  } catch (error) {
    // What led here is what the caller must see, not that closing failed, too.
    await client?.close().catch(() => undefined);
    const seconds = (performance.now() - started) / 1000;
    throw new StoreConnectionError(store, describe(error, endpoint, seconds), { cause: error });
  }
}

function clientOptions({ options, hasTimeout }: MongoEndpoint): MongoClientOptions {
  const known = Object.entries(options).filter(([name]) => !PYTHON_ONLY.includes(name));
  return {
    ...(!hasTimeout && { serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS }),
    ...Object.fromEntries(known),
  };
}

function describe(error: unknown, endpoint: MongoEndpoint, seconds: number): string {
  const { servers, username } = endpoint;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const problem = redact(message);
  if (name === 'MongoServerSelectionError')
    return `${servers} did not answer within ${seconds.toFixed(1)} s: ${problem}`;
  // 18: AuthenticationFailed; 8000: the same from a hosted service.
  if (codeOf(error) === 18 || codeOf(error) === 8000)
    return `${servers} refuses to log in the user "${username}": ${problem}`;
  return `${servers}: ${problem}`;
}
