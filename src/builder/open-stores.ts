import { holdStore } from '../store/hold-store.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../util/logger.js';
import type { AnyBuilder } from './builder.js';

/**
 * Opens the stores of a builder that are closed.
 *
 * @returns Closes exactly those again, unless somebody else needs them; also done when one of them cannot be opened.
 */
export async function openStores(
  builder: Pick<AnyBuilder, 'connect' | 'stores'>,
): Promise<AsyncDisposable> {
  const releases = builder.stores().map(holdStore);
  const lent = {
    async [Symbol.asyncDispose]() {
      await Promise.all(releases.map((release) => release()));
    },
  };
  try {
    await builder.connect();
  } catch (error) {
    await lent[Symbol.asyncDispose]();
    throw error;
  }
  return lent;
}

/** Asks for the indexes that make comparisons fast, and warns when a store cannot have them. */
export async function ensureKeyIndexes(stores: readonly Store[], logger: Logger): Promise<void> {
  const indexed = await Promise.all(
    stores.map((store) => store.ensureIndex([store.key, store.lastUpdatedField])),
  );
  stores.forEach(({ name, key, lastUpdatedField }, i) => {
    if (!indexed[i])
      logger.warn(
        `${name} has no index on ${key} and ${lastUpdatedField}: the build works, but slowly`,
      );
  });
}

/** Warns of an empty source: what looks like a build with nothing to do may be a wrong name. */
export async function warnOfEmpty(store: Store, logger: Logger): Promise<void> {
  if (await isEmpty(store))
    logger.warn(`${store.name} is empty: check its name, if that is not meant`);
}

/** Tells whether a store holds nothing at all. */
export async function isEmpty(store: Store): Promise<boolean> {
  return (await store.queryOne({}, { properties: ['_id'] })) === null;
}
