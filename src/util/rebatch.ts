/**
 * Cuts batches of any length into batches of one length, the last one holding what is left.
 *
 * @param batches - Read only as fast as the new batches are taken.
 * @param size - How many items a new batch has.
 */
export async function* rebatch<T>(
  batches: AsyncIterable<readonly T[]>,
  size: number,
): AsyncGenerator<T[], void, undefined> {
  let cut: T[] = [];
  for await (const batch of batches) {
    for (const item of batch) {
      cut.push(item);
      if (cut.length < size) continue;
      yield cut;
      cut = [];
    }
  }
  if (cut.length > 0) yield cut;
}
