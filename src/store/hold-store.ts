import type { Store } from './store.js';

/** How many use each of the stores that one of them opened; 0 while it is being closed. */
const users = new WeakMap<Store, number>();

/**
 * Says that a store will be opened, if it is closed, and used for a while. Of all who do so the last one closes it; one that
 * was opened in another way belongs to whoever did, and stays open.
 *
 * @returns ends it.
 */
export function holdStore(store: Store): () => Promise<void> {
  const others = users.get(store);
  if (others === undefined && store.connected) return async () => {};
  users.set(store, (others ?? 0) + 1);
  return async () => {
    const left = (users.get(store) ?? 1) - 1;
    users.set(store, left);
    if (left > 0) return;
    try {
      await store.close();
    } finally {
      // Somebody may have come meanwhile, who opens it again.
      if (users.get(store) === 0) users.delete(store);
    }
  };
}
