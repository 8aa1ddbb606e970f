import { ObjectId } from 'bson';
import { showValue } from '../../errors/show-value.js';
import { InvalidDocumentError } from '../../errors/store-errors.js';
import type { Criteria } from '../../query/criteria.js';
import type { Doc } from '../../query/document.js';
import type { Hash } from '../../query/hash.js';
import { hashValue } from '../../query/hash.js';
import { getPath } from '../../query/path.js';
import { widestPaths } from '../properties.js';
import type { Store } from '../store.js';
import type { Refusal } from '../store-options.js';

/** The field that lists the sandboxes of a document. */
export const SANDBOX_FIELD = 'sbxn';

const LOOKED_UP_AT_ONCE = 1000;

/** A document to be stored, and what is stored already. */
interface Plan {
  readonly doc: Doc;
  /** The document of the sandbox with the same key, which it replaces. */
  readonly own: Doc | undefined;
  /** There are others with that key, which must stay as they are. */
  readonly hasOthers: boolean;
}

/**
 * Stores documents in a sandbox, each in place of the sandbox's document with the same key.
 *
 * Stored documents of other sandboxes, and of none, are left alone.
 *
 * @param docs - They have different keys, and are the store's from now on.
 * @param key - The fields that make up the key.
 * @returns Those that could not be stored although the others were.
 */
export async function updateInSandbox(
  store: Store,
  sandbox: string,
  docs: readonly Doc[],
  key: readonly string[],
): Promise<readonly Refusal[]> {
  const plans: Plan[] = [];
  for (let at = 0; at < docs.length; at += LOOKED_UP_AT_ONCE)
    plans.push(...(await plan(store, sandbox, docs.slice(at, at + LOOKED_UP_AT_ONCE), key)));
  const tagged = plans.map(({ doc, own }): Doc => {
    const tags = new Set([...tagsOf(own), ...tagsOf(doc), sandbox]);
    return { ...doc, [SANDBOX_FIELD]: [...tags] };
  });
  const options = { key, validate: false };
  if (!plans.some(({ hasOthers }) => hasOthers))
    return (await store.update(tagged, options)).refused;
  // By key the store might replace one of the others; all in one call, so that all or nothing is stored.
  await assertFreeIds(store, plans);
  const addressed = tagged.map((doc, i) => {
    const own = plans[i]?.own;
    return { ...doc, _id: own === undefined ? (doc['_id'] ?? new ObjectId()) : own['_id'] };
  });
  return (await store.update(addressed, { ...options, key: '_id' })).refused;
}

async function plan(
  store: Store,
  sandbox: string,
  docs: readonly Doc[],
  key: readonly string[],
): Promise<Plan[]> {
  const own = new Map<Hash, Doc>();
  const others = new Set<Hash>();
  const properties = widestPaths(['_id', SANDBOX_FIELD, ...key]);
  for await (const batch of store.query(sameKeys(docs, key), { properties }).batches())
    for (const stored of batch) {
      const hash = keyHash(stored, key);
      if (!tagsOf(stored).includes(sandbox)) others.add(hash);
      else if (!own.has(hash)) own.set(hash, stored);
    }
  return docs.map((doc) => {
    const hash = keyHash(doc, key);
    return { doc, own: own.get(hash), hasOthers: others.has(hash) };
  });
}

/** Finds at least the documents with the same keys; an array, for one, is found by its elements, too. */
function sameKeys(docs: readonly Doc[], key: readonly string[]): Criteria {
  const [path = '_id', ...more] = key;
  if (more.length === 0) return { [path]: { $in: docs.map((doc) => getPath(doc, path)) } };
  const conditions = docs.map((doc) => ({
    $and: key.map((one) => ({ [one]: { $eq: getPath(doc, one) } })),
  }));
  return { $or: conditions };
}

/** Missing counts as null, as it does for stores that find keys by an index. */
function keyHash(doc: Doc, key: readonly string[]): Hash {
  return hashValue(key.map((path) => getPath(doc, path) ?? null));
}

/** What replaces nothing must not take the place of a document that has its `_id`. */
async function assertFreeIds(store: Store, plans: readonly Plan[]): Promise<void> {
  const ids = plans
    .filter(({ doc, own }) => own === undefined && doc['_id'] !== undefined)
    .map(({ doc }) => doc['_id']);
  if (ids.length === 0) return;
  const taken = await store.queryOne({ _id: { $in: ids } }, { properties: ['_id'] });
  if (taken === null) return;
  throw new InvalidDocumentError(
    '$._id',
    `another document of ${store.name}, outside of the sandbox, has the _id ${showValue(taken['_id'])} already`,
  );
}

/** Python may have written one sandbox as a text. */
function tagsOf(doc: Doc | undefined): unknown[] {
  const tags: unknown = doc?.[SANDBOX_FIELD];
  if (tags === undefined || tags === null) return [];
  return Array.isArray(tags) ? tags : [tags];
}
