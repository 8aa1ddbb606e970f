/** Why a run would do something with a key, or leave it. */
export type PlanReason =
  /** The target has nothing for it. */
  | 'new'
  /** Its source is newer than what the target holds. */
  | 'newer'
  /** Its source, the builder or an option changed, whatever the time stamps say. */
  | 'content'
  /** A group gained or lost a member. */
  | 'members'
  /** It failed before, and its source did not change since. */
  | 'failed'
  /** It was skipped before, and its source did not change since. */
  | 'skipped'
  /** The target refused it, and the rules have changed since. */
  | 'schema'
  /** Everything is to be built. */
  | 'refresh'
  /** The target has it, the source has not. */
  | 'orphan'
  /** The target is newer than its source. */
  | 'older';

/** What a run would do with one key. What is up to date is not in a plan. */
export interface PlanEntry {
  /** Of the target document. */
  readonly key: unknown;
  readonly action: 'build' | 'delete' | 'leave';
  readonly reason: PlanReason;
}
