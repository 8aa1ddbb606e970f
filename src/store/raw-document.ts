import { deserialize } from 'bson';
import type { Doc } from '../query/document.js';

/** A document that a server sent, not decoded yet: it can be handed on as it is. */
export class RawDocument {
  /** BSON. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The document, as the store would have given it. */
  decode(): Doc {
    return deserialize(this.bytes);
  }
}
