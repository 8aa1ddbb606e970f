import type { Doc } from '../query/document.js';
import type { Store } from '../store/store.js';

/** What a store holds, in the order of `k` and without `_id`. It may be closed. */
export async function contents(store: Store): Promise<Doc[]> {
  const { connected } = store;
  await store.connect();
  const docs = await store.query({}, { sort: { k: 1 }, properties: { _id: 0 } }).toArray();
  if (!connected) await store.close();
  return docs;
}
