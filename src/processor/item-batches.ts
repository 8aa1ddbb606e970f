import { InvalidBuilderError } from '../errors/builder-errors.js';
import type { Cursor } from '../store/cursor.js';
import type { RawDocument } from '../store/raw-document.js';

/**
 * Reads what `getItems` returned in batches, each as soon as it is there.
 *
 * @param items - A cursor is read by batch; a list is cut; an async iterable gives batches of one, which the queue behind
 * it joins again.
 * @param builder - Name of the builder, for messages.
 * @param size - How many items a batch has at most.
 * @param raw - Whether a cursor may give documents as bytes.
 * @throws {@link InvalidBuilderError} when `items` cannot be iterated.
 */
export async function* batchesOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item> | Cursor<Item & object>,
  builder: string,
  size: number,
  raw: boolean,
): AsyncGenerator<readonly (Item | RawDocument)[], void, undefined> {
  if (isCursor(items))
    yield* raw && items.rawBatches ? items.rawBatches(size) : items.batches(size);
  else if (Array.isArray(items))
    for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
  else if (isIterable(items)) for await (const item of items) yield [item];
  else throw new InvalidBuilderError(builder, 'must return an iterable from getItems()');
}

const isCursor = (items: unknown): items is Cursor<object> =>
  typeof items === 'object' &&
  items !== null &&
  'batches' in items &&
  typeof items.batches === 'function';

const isIterable = (items: unknown): boolean =>
  typeof items === 'object' &&
  items !== null &&
  (Symbol.asyncIterator in items || Symbol.iterator in items);
