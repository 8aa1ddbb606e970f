import { OrphanGuardError } from '../errors/builder-errors.js';
import type { Store } from '../store/store.js';
import { KeyPlan } from './key-plan.js';
import { isEmpty } from './open-stores.js';

/** Where orphans are, and how many may go. */
export interface OrphanSetup {
  readonly source: Store;
  readonly target: Store;
  /** The largest share of the target, from 0 to 1; 1 for no limit. */
  readonly maxOrphanShare: number;
}

/**
 * Removes target documents that have no source any more.
 *
 * @param found - Their keys, in batches.
 * @returns How many there were.
 * @throws {@link OrphanGuardError} before anything is removed, when there are suspiciously many.
 */
export async function removeOrphans(
  found: AsyncIterable<readonly unknown[]>,
  setup: OrphanSetup,
): Promise<number> {
  const { target } = setup;
  await using orphans = new KeyPlan();
  const examples: unknown[] = [];
  for await (const keys of found) {
    await orphans.add(keys);
    examples.push(...keys.slice(0, 3 - examples.length));
  }
  if (orphans.length > 0) await guard(orphans.length, examples, setup);
  for await (const keys of orphans.batches(1000))
    await target.removeDocs({ [target.key]: { $in: keys } });
  return orphans.length;
}

async function guard(
  orphans: number,
  examples: readonly unknown[],
  { source, target, maxOrphanShare }: OrphanSetup,
): Promise<void> {
  if (maxOrphanShare >= 1) return;
  const [total, isSourceEmpty] = [await target.count(), await isEmpty(source)];
  if (!isSourceEmpty && orphans <= maxOrphanShare * total) return;
  throw new OrphanGuardError({
    source: source.name,
    target: target.name,
    isSourceEmpty,
    orphans,
    total,
    maxOrphanShare,
    examples,
  });
}
