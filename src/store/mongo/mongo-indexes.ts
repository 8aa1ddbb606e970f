import type { Collection } from 'mongodb';
import type { Doc } from '../../query/document.js';
import { codeOf, isServerError, isTransient } from './mongo-errors.js';

const NO_SUCH_COLLECTION = 26;
/** The server is a secondary, which takes no indexes; waiting changes nothing about that. */
const NOT_PRIMARY: readonly unknown[] = [10107, 13435];

/** What is read of an index's description. */
interface IndexInfo {
  readonly name?: string;
  readonly key: Record<string, unknown>;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly hidden?: boolean;
  readonly partialFilterExpression?: unknown;
  readonly collation?: unknown;
}

/**
 * Makes sure that there is an index which starts with some fields, in their order.
 *
 * @param unique - Asks also for an index that keeps these fields unique.
 * @returns False when the server does not make it: the user may not, another index is in the way, stored documents
 * are not unique.
 */
export async function ensureIndex(
  collection: Collection<Doc>,
  fields: readonly string[],
  unique: boolean,
): Promise<boolean> {
  const known = (await ifAllowed(() => listIndexes(collection))) ?? [];
  if (serves(known, fields, unique)) return true;
  const key = Object.fromEntries(fields.map((field) => [field, 1 as const]));
  const made = await ifAllowed(() => collection.createIndex(key, unique ? { unique } : {}));
  return made !== undefined;
}

async function listIndexes(collection: Collection<Doc>): Promise<IndexInfo[]> {
  try {
    return (await collection.listIndexes().toArray()) as IndexInfo[];
  } catch (error) {
    if (codeOf(error) === NO_SUCH_COLLECTION) return [];
    throw error;
  }
}

/** Undefined when the server says no; a server that cannot be reached is an error. */
async function ifAllowed<R>(ask: () => Promise<R>): Promise<R | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (isTransient(error) && !NOT_PRIMARY.includes(codeOf(error))) throw error;
    return undefined;
  }
}

function serves(
  indexes: readonly IndexInfo[],
  fields: readonly string[],
  unique: boolean,
): boolean {
  const whole = indexes.filter(coversAll);
  return (
    whole.some((index) => startsWith(index, fields)) &&
    (!unique || whole.some((index) => keepsUnique(index, fields)))
  );
}

/** True for an index that holds each document and compares as queries do. */
const coversAll = (index: IndexInfo): boolean =>
  !index.sparse &&
  !index.hidden &&
  index.partialFilterExpression === undefined &&
  index.collation === undefined;

function startsWith({ key }: IndexInfo, fields: readonly string[]): boolean {
  const entries = Object.entries(key);
  return fields.every((field, i) => {
    const [name, direction] = entries[i] ?? [];
    // Others, as 'text' and 'hashed', do not sort.
    return name === field && Math.abs(Number(direction)) === 1;
  });
}

/** What is unique by some of the fields is unique by all of them. */
const keepsUnique = ({ name, key, unique }: IndexInfo, fields: readonly string[]): boolean =>
  (unique === true || name === '_id_') && Object.keys(key).every((field) => fields.includes(field));
