import { setTimeout } from 'node:timers/promises';
import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import type { Doc } from '../../query/document.js';
import { isServerError, isTransient } from './mongo-errors.js';

/** One document on its way. */
export interface MongoWrite {
  /** The key, for messages. */
  readonly key: unknown;
  readonly filter: Doc;
  readonly doc: Doc;
  /** Too large for a bulk, which counts the filter with the document. */
  readonly isLarge: boolean;
}

/** A document that the server refused. */
export interface MongoFailure {
  readonly write: MongoWrite;
  readonly code: unknown;
  readonly message: string;
}

/** What the server says of one write among several. */
interface Answer {
  readonly index: number;
  readonly code?: unknown;
  readonly errmsg?: string | undefined;
}

const DUPLICATE_KEY = 11000;
const IMMUTABLE_FIELD = 66;
const WRITE_CONFLICT = 112;

/** How often a write is repeated that met another writer's document, and one that collided with another write. */
const MAX_REPEATS = 3;
const MAX_COLLISIONS = 10;
/** The longest wait after the first collision, and by how much it grows with each. */
const COLLISION_MS = 20;

/** The first wait lets the server end what it was doing when the connection broke. */
const RETRY_AFTER_MS: readonly number[] = [250, 1000, 3000];

/**
 * Replaces or inserts documents, each by its filter, in one round trip where nothing goes wrong.
 *
 * The `_id` of a stored document stays: the server refuses to change it, and such a write is repeated without the
 * incoming one. A write that another writer overtook (both insert the same key, which a unique index refuses) is
 * repeated, and then replaces; so is one that collided with another (a write conflict, a deadlock), after a random wait,
 * or the two would meet again. When the connection is lost all of it is repeated, which changes nothing that was done.
 *
 * @returns The documents that the server refused although the others were stored.
 */
export async function writeBulk(
  collection: Collection<Doc>,
  writes: readonly MongoWrite[],
): Promise<MongoFailure[]> {
  const failures: MongoFailure[] = [];
  let pending = writes;
  let repeats = 0;
  let collisions = 0;
  while (pending.length > 0) {
    const again: MongoWrite[] = [];
    let hasCollided = false;
    for (const { index, code, errmsg = 'no reason given' } of await sendPatiently(
      collection,
      pending,
    )) {
      const write = pending[index];
      if (write === undefined) continue;
      const isCollision = code === WRITE_CONFLICT || /\bdeadlock\b/i.test(errmsg);
      const isLast = isCollision ? collisions >= MAX_COLLISIONS : repeats >= MAX_REPEATS;
      const next = isCollision ? write : repeatable(write, code);
      if (isLast || next === undefined) failures.push({ write, code, message: errmsg });
      else again.push(next);
      hasCollided ||= isCollision;
    }
    if (!hasCollided) repeats++;
    else if (again.length > 0) await setTimeout(Math.random() * COLLISION_MS * ++collisions);
    pending = again;
  }
  return failures;
}

/** What is worth being sent again. */
function repeatable(write: MongoWrite, code: unknown): MongoWrite | undefined {
  if (code === DUPLICATE_KEY) return write;
  if (code !== IMMUTABLE_FIELD || !Object.hasOwn(write.doc, '_id')) return undefined;
  const { _id, ...doc } = write.doc;
  return { ...write, doc };
}

async function sendPatiently(
  collection: Collection<Doc>,
  writes: readonly MongoWrite[],
): Promise<Answer[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send(collection, writes);
    } catch (error) {
      const delay = RETRY_AFTER_MS[attempt];
      if (delay === undefined || !isTransient(error)) throw error;
      await setTimeout(delay);
    }
  }
}

async function send(collection: Collection<Doc>, writes: readonly MongoWrite[]): Promise<Answer[]> {
  const operations: AnyBulkWriteOperation<Doc>[] = [];
  const positions: number[] = [];
  const answers: Answer[] = [];
  for (const [index, write] of writes.entries()) {
    const { filter, doc: replacement, isLarge } = write;
    if (isLarge) answers.push(...(await sendAlone(collection, write, index)));
    else {
      operations.push({ replaceOne: { filter, replacement, upsert: true } });
      positions.push(index);
    }
  }
  if (operations.length === 0) return answers;
  try {
    await collection.bulkWrite(operations, { ordered: false });
  } catch (error) {
    const refused = answersOf(error);
    if (refused.length === 0) throw error;
    for (const { index, code, errmsg } of refused)
      answers.push({ index: positions[index] ?? -1, code, errmsg });
  }
  return answers;
}

async function sendAlone(
  collection: Collection<Doc>,
  { filter, doc }: MongoWrite,
  index: number,
): Promise<Answer[]> {
  try {
    await collection.replaceOne(filter, doc, { upsert: true });
    return [];
  } catch (error) {
    if (!isServerError(error) || isTransient(error)) throw error;
    return [{ index, code: error.code, errmsg: error.message }];
  }
}

/** What a failed bulk says of single writes; nothing when it failed as a whole. */
function answersOf(error: unknown): readonly Answer[] {
  if (!isServerError(error) || !('writeErrors' in error)) return [];
  const { writeErrors } = error;
  return (Array.isArray(writeErrors) ? writeErrors : [writeErrors]) as Answer[];
}
