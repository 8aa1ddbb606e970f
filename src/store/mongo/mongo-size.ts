import { calculateObjectSize } from 'bson';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import { isDocument } from '../../query/bson-kind.js';
import type { Doc } from '../../query/document.js';
import { setOwn } from '../../util/set-own.js';
import { toServerRegex } from './mongo-regex.js';

/** The largest document that MongoDB takes, in bytes. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** An ObjectId and its name, which the server adds to a document without `_id`. */
const ID_BYTES = 17;

/**
 * Makes a document ready to be sent, and says how many bytes it takes at most.
 *
 * Measuring exactly takes as long as encoding; this takes a fraction of it, and for all but huge documents it is
 * enough. Regular expressions are translated on the way, see {@link toServerRegex}.
 *
 * @param doc - Changed in place.
 * @throws {@link InvalidDocumentError} for a text that UTF-8 cannot hold: the driver would change it without a word.
 */
export function prepareDocument(doc: Doc): number {
  let bytes = 5;
  for (const name of Object.keys(doc)) {
    const value = doc[name];
    assertWellFormed(name, name);
    bytes += 2 + 3 * name.length + sizeOf(doc, name, value);
  }
  return bytes;
}

/** How many bytes a document takes in the database. */
export function storedSize(doc: Doc): number {
  return calculateObjectSize(doc) + (doc['_id'] === undefined ? ID_BYTES : 0);
}

function prepareArray(array: unknown[]): number {
  let bytes = 5;
  for (let i = 0; i < array.length; i++) bytes += 10 + sizeOf(array, i, array[i]);
  return bytes;
}

function sizeOf(container: Doc | unknown[], name: string | number, value: unknown): number {
  if (typeof value === 'string') {
    assertWellFormed(value, name);
    return 5 + 3 * value.length;
  }
  if (typeof value !== 'object' || value === null) return 8;
  if (Array.isArray(value)) return prepareArray(value);
  if (isDocument(value)) return prepareDocument(value);
  if (value instanceof Date) return 8;
  if (!(value instanceof RegExp)) return calculateObjectSize({ value });
  const regex = toServerRegex(value);
  setOwn(container as Doc, String(name), regex);
  return calculateObjectSize({ regex });
}

function assertWellFormed(text: string, name: string | number): void {
  if (BROKEN_PAIR.test(text))
    throw new InvalidDocumentError(
      `$.….${name}`,
      'half of a surrogate pair in a text cannot be stored in MongoDB, which keeps UTF-8',
    );
}

// Not isWellFormed(), which our compiler does not know for Node 20.
const BROKEN_PAIR = /\p{Surrogate}/u;
