import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SealError } from '../../errors/distributed-errors.js';
import type { ChunkId, Sealed } from './engine.js';
import { sealingKey } from './keys.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The place of what all chunks of a stage share, which is no chunk. */
export const HEADER = -1;

/**
 * Encrypts what a manager tells workers, and binds it to its place in the run: whoever carries or stores it can neither
 * read nor change it, nor hand it out as something else.
 */
export class Sealer {
  readonly #key: Uint8Array;

  /** @param secret - The secret of the run. */
  constructor(secret: Uint8Array) {
    this.#key = sealingKey(secret);
  }

  /** Encrypts a text for its place; each time differently. */
  seal(text: string, place: ChunkId): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce).setAAD(nameOf(place));
    const body = [cipher.update(text, 'utf8'), cipher.final()];
    return Buffer.concat([nonce, ...body, cipher.getAuthTag()]).toString('base64');
  }

  /** @throws {@link SealError} when it is not exactly what was sealed with the same secret for the same place. */
  open(sealed: Sealed, place: ChunkId): string {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const tag = bytes.subarray(-TAG_BYTES);
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(nameOf(place)).setAuthTag(tag);
      const body = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SealError(describe(place), { cause });
    }
  }
}

function nameOf({ run, stage, index }: ChunkId): Buffer {
  return Buffer.from(JSON.stringify([run, stage, index]));
}

/** `chunk 3 of stage 0`. */
function describe({ stage, index }: ChunkId): string {
  return index === HEADER ? `the plan of stage ${stage}` : `chunk ${index} of stage ${stage}`;
}
