/** Who writes into a collection at present. */
export interface Claim {
  /** A UUID. */
  readonly id: string;
  /** What it is that writes: class names of processor and builder. */
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** An anonymous name for where and since when `pid` means the same: a machine, or a container on it, and its start. */
  readonly pidScope: string;
  /** When it began, as ISO 8601. */
  readonly since: string;
  /** When it was last heard of, as ISO 8601. */
  readonly renewed: string;
}

/** Where it is noted who writes into a collection, seen by everybody who could. */
export interface ClaimBoard {
  /** Who it is; null for nobody. */
  read(): Promise<Claim | null>;
  /**
   * Puts a claim in place of another one, for all at once.
   *
   * @param from - The id of the claim that must be there; null when there must be none.
   * @param to - Null to leave none.
   * @returns False, and nothing was changed, when something else is there.
   */
  swap(from: string | null, to: Claim | null): Promise<boolean>;
}
