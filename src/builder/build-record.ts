import type { Doc } from '../query/document.js';
import { getPath } from '../query/path.js';
import type { Store } from '../store/store.js';
import { toIsoText } from '../util/instant.js';
import { setOwn } from '../util/set-own.js';

/** The values of `state` that are ours. */
const OUR_STATES: readonly unknown[] = ['successful', 'failed', 'skipped'];

/** The fields by which {@link isFailureRecord} knows a failure record. */
export const FAILURE_FIELDS: readonly string[] = ['state', 'error', '_bt'];

/**
 * Tells whether a target document says that its item failed.
 *
 * `state` alone would not do: a user's own documents may have such a field.
 */
export function isFailureRecord(doc: Doc): boolean {
  return (
    doc['state'] === 'failed' && typeof doc['error'] === 'string' && doc['_bt'] instanceof Date
  );
}

/** Tells whether a document only says that its item failed or was skipped. */
export function isBookkeeping(doc: Doc): boolean {
  return isFailureRecord(doc) || (doc['state'] === 'skipped' && doc['_bt'] instanceof Date);
}

/** Tells whether a value of `state` is the user's own, to be left as it is. */
export function isForeignState(state: unknown): boolean {
  return state !== undefined && !OUR_STATES.includes(state);
}

/**
 * Puts a target document together.
 *
 * @param head - Fields that come first; a dotted name is set inside what `body` has there.
 * @param body - What the user made; not changed, nor what is nested in it.
 * @param omitted - Names of the body's fields that are left out.
 * @param tail - Fields that come last.
 */
export function composeDocument(
  head: readonly (readonly [string, unknown])[],
  body: Doc,
  omitted: ReadonlySet<string>,
  tail: Doc,
): Doc {
  const doc: Doc = {};
  for (const [field, value] of head) if (!field.includes('.')) doc[field] = value;
  for (const name of Object.keys(body)) if (!omitted.has(name)) setOwn(doc, name, body[name]);
  for (const name of Object.keys(tail)) doc[name] = tail[name];
  for (const [field, value] of head)
    if (field.includes('.')) setField(doc, field.split('.'), value);
  return doc;
}

function setField(doc: Doc, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) doc[name] = value;
  else {
    const inner = { ...(isNested(doc[name]) ? doc[name] : {}) };
    setField(inner, rest, value);
    doc[name] = inner;
  }
}

const isNested = (value: unknown): value is Doc =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) === Object.prototype;

/** Writes an instant as a store's time stamps are written. */
export function stampFor(store: Store, time: number): Date | string {
  return store.lastUpdatedType === 'isoformat' ? toIsoText(time) : new Date(time);
}

/** Reads a document's key. */
export const keyOf = (store: Store, doc: Doc): unknown => getPath(doc, store.key);
