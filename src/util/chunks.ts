/**
 * Groups items into arrays of at most `size`, the last one holding what is left.
 *
 * @param items - Read only as fast as the chunks are taken.
 */
export async function* chunks<T>(
  items: AsyncIterable<T> | Iterable<T>,
  size: number,
): AsyncGenerator<T[], void, undefined> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length >= size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
