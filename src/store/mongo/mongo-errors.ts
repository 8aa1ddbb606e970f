import { InvalidQueryError } from '../../errors/query-errors.js';

/** The driver's errors that say nothing about the request: the connection was lost, or no server was found. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoPoolClearedError',
  'PoolClearedOnNetworkError',
]);

/** Answers of a server that is shutting down, or is no longer the primary. */
const TRANSIENT_CODES: ReadonlySet<unknown> = new Set([
  6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);

/** BadValue, FailedToParse, TypeMismatch, and the codes for bad regular expressions. */
const QUERY_CODES: ReadonlySet<unknown> = new Set([2, 9, 14, 51091, 51108]);

/** The answer is larger than one message may be. */
const TOO_LARGE_CODES: ReadonlySet<unknown> = new Set([10334, 17217, 17419, 17420]);

/** What is read of a driver's error; matched by name, so that another copy of the driver does as well. */
interface DriverError extends Error {
  readonly code?: unknown;
  readonly errorResponse?: unknown;
}

/** True when the same request may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const { name, code } = originOf(error);
  return NETWORK_ERRORS.has(name) || (isServerError(error) && TRANSIENT_CODES.has(code));
}

/** True for what a server answered, in contrast to not being reached. */
export function isServerError(error: unknown): error is DriverError {
  const { name } = originOf(error);
  return name === 'MongoServerError' || name === 'MongoBulkWriteError';
}

/** True when the server gave up because its answer, or a document, is larger than 16 MB. */
export function isTooLarge(error: unknown): boolean {
  return isServerError(error) && TOO_LARGE_CODES.has(error.code);
}

/** The code of a server's answer. */
export function codeOf(error: unknown): unknown {
  return originOf(error).code;
}

/** What a reader should get in place of a driver's error: a refused query becomes {@link InvalidQueryError}. */
export function readError(error: unknown): unknown {
  if (!isServerError(error) || !QUERY_CODES.has(error.code)) return error;
  return new InvalidQueryError('$', `the server refuses it: ${error.message}`);
}

/** A bulk write wraps the error that ended it. */
function originOf(error: unknown): DriverError {
  if (!(error instanceof Error)) return new Error(String(error));
  const { errorResponse } = error as DriverError;
  return errorResponse instanceof Error ? errorResponse : error;
}
