import type { Criteria } from '../query/criteria.js';
import type { Doc } from '../query/document.js';
import { getPath } from '../query/path.js';
import type { Store } from '../store/store.js';
import { toIsoText } from '../util/instant.js';
import { setOwn } from '../util/set-own.js';
import type { FailureRecord } from './failure-record.js';

/** The values of `state` that are ours. */
const OUR_STATES: readonly unknown[] = ['successful', 'failed', 'skipped'];

/** What else is known of a failure, beside its message. */
export interface FailureDetails {
  /** Name of the error's class. */
  readonly name: string;
  /** How many times the item was tried since it last succeeded, or its source changed. */
  readonly attempts: number;
  readonly first: Date;
  readonly last: Date;
  readonly stack?: string | undefined;
}

/** Our fields of a target document, wherever they are. */
export interface Bookkeeping {
  readonly state?: 'successful' | 'failed' | 'skipped';
  readonly error?: unknown;
  /** When it was built. */
  readonly _bt?: Date;
  /** In seconds. */
  readonly _process_time?: number;
  readonly _failure?: FailureDetails;
  /** What it was built from, and with; in content mode. */
  readonly _hash?: string;
  /** The fingerprint of the rules by which the target refused it. */
  readonly _schema?: string;
}

/** Ours whatever a user's result has there. */
const RESERVED = ['_bt', '_process_time', '_hash', '_schema', '_failure'] as const;
const OUR_FIELDS = ['state', 'error', ...RESERVED] as const;

/**
 * How builders write what they know of a target document into it: as fields of their own, as Python does, or all under
 * one field.
 */
export class Bookkeeper {
  /** What {@link noteOf} needs to read. */
  readonly fields: readonly string[];
  readonly #metaField: string | null;

  /** @param metaField - The field under which everything goes; null for Python's fields. */
  constructor(metaField: string | null) {
    this.#metaField = metaField;
    this.fields = metaField === null ? OUR_FIELDS : [metaField];
  }

  /** Names of top-level fields that a user's result cannot set. */
  get reserved(): readonly string[] {
    return this.#metaField === null ? RESERVED : [this.#metaField];
  }

  /** True when a user's own `state` would stand where ours does. */
  isForeignState(body: Doc): boolean {
    const { state } = body;
    return this.#metaField === null && state !== undefined && !OUR_STATES.includes(state);
  }

  /** What is added to a document. */
  toFields(bookkeeping: Bookkeeping): Doc {
    return this.#metaField === null ? bookkeeping : { [this.#metaField]: bookkeeping };
  }

  /** A copy of a document with other bookkeeping. */
  amended(doc: Doc, change: Bookkeeping): Doc {
    const meta = this.#metaField;
    return meta === null ? { ...doc, ...change } : { ...doc, [meta]: { ...doc[meta], ...change } };
  }

  /** What a target document says of its item; `state` only when it is ours. */
  noteOf(doc: Doc): Bookkeeping {
    const found: unknown = this.#metaField === null ? doc : doc[this.#metaField];
    if (typeof found !== 'object' || found === null) return {};
    const fields = found as Doc;
    const { _hash, _schema, _failure } = fields;
    const kept = {
      ...(typeof _hash === 'string' && { _hash }),
      ...(typeof _schema === 'string' && { _schema }),
    };
    const state = ourState(fields);
    if (state === undefined) return kept;
    return { ...kept, state, ...(isDetails(_failure) && { _failure }) };
  }

  /** Finds the documents that say that their item failed, and maybe others. */
  get failed(): Criteria {
    const meta = this.#metaField;
    return { [meta === null ? 'state' : `${meta}.state`]: 'failed' };
  }

  /** What a target document says of the failure of its item; null for all others. */
  failureOf(doc: Doc): Omit<FailureRecord, 'key'> | null {
    const { state, _failure } = this.noteOf(doc);
    if (state !== 'failed') return null;
    const { error, _bt } = (this.#metaField === null ? doc : doc[this.#metaField]) as Doc;
    return { error, last: _bt, ..._failure };
  }

  /** Tells whether a document only says that its item failed or was skipped. */
  isRecord(doc: Doc): boolean {
    const { state } = this.noteOf(doc);
    return state === 'failed' || state === 'skipped';
  }
}

const isDetails = (value: unknown): value is FailureDetails =>
  typeof value === 'object' && value !== null && 'first' in value && value.first instanceof Date;

/** `state` alone would not do: a user's own documents may have such a field. */
function ourState({ state, error, _bt }: Doc): 'failed' | 'skipped' | undefined {
  if (!(_bt instanceof Date)) return undefined;
  const isFailure = typeof error === 'string' || (typeof error === 'object' && error !== null);
  if (state === 'failed' && isFailure) return 'failed';
  return state === 'skipped' ? 'skipped' : undefined;
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
