import { InvalidOptionError } from '../errors/option-errors.js';
import type { Store } from '../store/store.js';
import { assertOneOf } from '../util/assert-option.js';
import type { IncrementalBuilderOptions } from './incremental-options.js';

/** Options of {@link GroupBuilder}. */
export interface GroupBuilderOptions extends IncrementalBuilderOptions {
  /**
   * What the key of a target document is: `group`, the value that its members have in common, or a text that says
   * all of them; `firstMember`, as in Python, the key of one member, here the smallest. The latter changes when that
   * member leaves its group, and the document under the old key is then an orphan.
   * @defaultValue `'group'`
   */
  readonly targetKey?: 'group' | 'firstMember' | undefined;
}

/** What a GroupBuilder is given, checked. */
export interface ResolvedGroupOptions {
  readonly groupingKeys: readonly string[];
  readonly targetKey: 'group' | 'firstMember';
  /** The field of target documents that lists the members. */
  readonly memberField: string;
}

/** @internal */
export function resolveGroupOptions(
  source: Store,
  target: Store,
  groupingKeys: readonly string[],
  { targetKey = 'group' }: GroupBuilderOptions,
): ResolvedGroupOptions {
  assertGroupingKeys(groupingKeys);
  assertOneOf('targetKey', targetKey, ['group', 'firstMember']);
  const memberField = `${source.key}s`;
  if (memberField === target.key || memberField === target.lastUpdatedField)
    throw new InvalidOptionError(
      'target',
      `a store whose key and time stamp are not "${memberField}", where the keys of the members go`,
      target.name,
    );
  return { groupingKeys: Object.freeze([...groupingKeys]), targetKey, memberField };
}

function assertGroupingKeys(keys: readonly string[]): void {
  const isList =
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key: unknown) => typeof key === 'string' && key !== '');
  if (!isList)
    throw new InvalidOptionError('groupingKeys', 'a list of at least one field name', keys);
  const areApart = keys.every((key, i) =>
    keys.every((other, j) => i === j || (other !== key && !key.startsWith(`${other}.`))),
  );
  if (!areApart)
    throw new InvalidOptionError('groupingKeys', 'fields of which none lies inside another', keys);
}
