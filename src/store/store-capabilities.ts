/** What a backend can do, as data: the contract suite holds every store to exactly this. */
export interface StoreCapabilities {
  /** `update` works. */
  readonly writable: boolean;
  /** `removeDocs` works. */
  readonly removal: boolean;
  /** A query sorted by the key streams in constant memory, or holds no more than the store itself does. */
  readonly sortedScan: boolean;
  /** Batches can be handed on as BSON bytes, without decoding them. */
  readonly rawBatches: boolean;
  /** Another process that opens the same store sees the same documents. */
  readonly crossProcess: boolean;
}

/** The least that a store can do; spread it, so that a later flag does not break existing stores. */
export const MINIMAL_CAPABILITIES: StoreCapabilities = Object.freeze({
  writable: false,
  removal: false,
  sortedScan: false,
  rawBatches: false,
  crossProcess: false,
});
