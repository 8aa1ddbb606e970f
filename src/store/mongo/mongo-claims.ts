import type { Collection } from 'mongodb';
import type { Claim, ClaimBoard } from '../claim-board.js';

/** The collection in which claims on the others of a database are kept. */
export const CLAIMS_COLLECTION = 'maggma_leases';

/** The code of a server that has the key already. */
const DUPLICATE_KEY = 11_000;

/** A claim as a document. */
export type ClaimDocument = Claim & { readonly _id: string };

/** A claim on a collection, in the database of the collection. */
export class MongoClaim implements ClaimBoard {
  readonly #claims: Collection<ClaimDocument>;
  readonly #name: string;

  /** @param name - The collection that the claim is about. */
  constructor(claims: Collection<ClaimDocument>, name: string) {
    this.#claims = claims;
    this.#name = name;
  }

  async read(): Promise<Claim | null> {
    return this.#claims.findOne({ _id: this.#name }, { projection: { _id: 0 } });
  }

  async swap(from: string | null, to: Claim | null): Promise<boolean> {
    const place = { _id: this.#name, ...(from !== null && { id: from }) };
    if (to === null) return (await this.#claims.deleteOne(place)).deletedCount === 1;
    if (from !== null) return (await this.#claims.replaceOne(place, to)).matchedCount === 1;
    try {
      await this.#claims.insertOne({ ...to, _id: this.#name });
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === DUPLICATE_KEY) return false;
      throw error;
    }
  }
}
