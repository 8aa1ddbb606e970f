import type { Collection } from 'mongodb';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError, StoreOperationError } from '../../errors/store-errors.js';
import type { Doc } from '../../query/document.js';
import { getPath } from '../../query/path.js';
import type { Refusal } from '../store-options.js';
import { keyFilter } from './mongo-key-filter.js';
import { MAX_DOCUMENT_BYTES, prepareDocument, storedSize } from './mongo-size.js';
import type { MongoFailure, MongoWrite } from './mongo-writes.js';
import { writeBulk } from './mongo-writes.js';

/** How documents are stored. */
export interface ReplaceOptions {
  /** Name of the store, for messages. */
  readonly store: string;
  /** True returns what cannot be stored, false throws. */
  readonly safeUpdate: boolean;
}

const BULK_DOCUMENTS = 1000;
/** By the upper bound, so that the documents in flight do not fill the memory. */
const BULK_BYTES = MAX_DOCUMENT_BYTES;
const BULKS_IN_FLIGHT = 4;
/** From this upper bound on a document is measured. */
const SUSPICIOUS_BYTES = MAX_DOCUMENT_BYTES / 4;
/** Room for the filter beside the document in a bulk. */
const MAX_BULK_DOCUMENT_BYTES = (MAX_DOCUMENT_BYTES * 3) / 4;

/**
 * Stores documents, each in place of the one with the same key.
 *
 * @param docs - With different keys; changed in place.
 * @returns With `safeUpdate` those that could not be stored.
 * @throws {@link InvalidDocumentError} for a document that is too large, before anything is written, and for an `_id`
 * that another document has.
 */
export async function replaceDocuments(
  collection: Collection<Doc>,
  docs: readonly Doc[],
  paths: readonly string[],
  { store, safeUpdate }: ReplaceOptions,
): Promise<readonly Refusal[]> {
  const refused: Refusal[] = [];
  const bulks = plan(docs, paths, (key, { path, problem }) => {
    const reason = `the document with key ${showValue(key)} ${problem}`;
    if (!safeUpdate) throw new InvalidDocumentError(path, reason);
    refused.push({ key, reason });
  });
  await eachInParallel(bulks, BULKS_IN_FLIGHT, async (bulk) => {
    for (const failure of await writeBulk(collection, bulk)) {
      if (!safeUpdate) throw errorOf(failure, store);
      refused.push({ key: failure.write.key, reason: failure.message });
    }
  });
  return refused;
}

/** Cuts documents into bulks. */
function plan(
  docs: readonly Doc[],
  paths: readonly string[],
  refuse: (key: unknown, flaw: Flaw) => void,
): MongoWrite[][] {
  const bulks: MongoWrite[][] = [];
  let bulk: MongoWrite[] = [];
  let bytes = 0;
  for (const doc of docs) {
    assertId(doc['_id']);
    const bound = prepareDocument(doc);
    const size = bound < SUSPICIOUS_BYTES ? bound : storedSize(doc);
    const key = keyOf(doc, paths);
    const flaw = flawOf(doc, size);
    if (flaw !== undefined) {
      refuse(key, flaw);
      continue;
    }
    if (bulk.length >= BULK_DOCUMENTS || (bulk.length > 0 && bytes + size > BULK_BYTES)) {
      bulks.push(bulk);
      bulk = [];
      bytes = 0;
    }
    const isLarge = size > MAX_BULK_DOCUMENT_BYTES;
    bulk.push({ key, filter: keyFilter(doc, paths), doc, isLarge });
    bytes += size;
  }
  if (bulk.length > 0) bulks.push(bulk);
  return bulks;
}

/** Why no server will store a document. */
interface Flaw {
  readonly path: string;
  readonly problem: string;
}

function flawOf(doc: Doc, size: number): Flaw | undefined {
  if (size > MAX_DOCUMENT_BYTES) {
    const problem = `has ${size} bytes, and MongoDB takes ${MAX_DOCUMENT_BYTES} at most`;
    return { path: '$', problem };
  }
  for (const name of Object.keys(doc))
    if (name.startsWith('$'))
      return {
        path: `$.${name}`,
        problem: `has a field "${name}", which MongoDB takes for an operator`,
      };
  return undefined;
}

function keyOf(doc: Doc, paths: readonly string[]): unknown {
  const values = paths.map((path) => getPath(doc, path));
  return values.length === 1 ? values[0] : values;
}

function assertId(id: unknown): void {
  if (Array.isArray(id) || id instanceof RegExp)
    throw new InvalidDocumentError('$._id', 'an array or a regular expression cannot be an _id');
}

function errorOf({ write, code, message }: MongoFailure, store: string): Error {
  const { key, doc } = write;
  // Servers word it differently; all of them name the index.
  if (code === 11000 && /\b_id_\b/.test(message) && doc['_id'] !== undefined)
    return new InvalidDocumentError(
      '$._id',
      `another document of ${store} has the _id ${showValue(doc['_id'])} already`,
    );
  if (code === 11000)
    return new InvalidDocumentError(
      '$',
      `${store} has a unique index that refuses the document with key ${showValue(key)}: ${message}`,
    );
  const problem = `the server refuses the document with key ${showValue(key)}: ${message}`;
  return new StoreOperationError(store, 'update', problem);
}

/** Does something with each item, several at a time; after a failure what has begun is waited for. */
async function eachInParallel<T>(
  items: readonly T[],
  parallel: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let next = left.next(); !next.done && !failed; next = left.next()) {
      try {
        await action(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(parallel, items.length) }, lane);
  const results = await Promise.allSettled(lanes);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
