import type { Doc } from '../query/document.js';
import type { Store } from '../store/store.js';
import { keyOf } from './build-record.js';
import { contentHash, inputOf } from './content-hash.js';

/** Turns what a source document holds into a number; its time stamp and a mere `_id` do not count. */
export function contentOf(source: Store, doc: Doc): bigint {
  return BigInt(`0x${contentHash([keyOf(source, doc), inputOf(source, doc)])}`);
}
