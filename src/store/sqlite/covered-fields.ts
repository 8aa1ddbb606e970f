import { InvalidQueryError } from '../../errors/query-errors.js';
import type { Doc } from '../../query/document.js';
import type { CompiledProjection, Projection } from '../../query/projection.js';
import { compileProjection } from '../../query/projection.js';
import { widestPaths } from '../properties.js';
import type { EncodedDocument } from './document-codec.js';
import { encodeDocument } from './document-codec.js';

/** Fields that an index carries along, so that a query for no others does not read the documents. */
export class CoveredFields {
  readonly #paths: ReadonlySet<string>;
  readonly #projection: CompiledProjection | null;

  constructor(paths: readonly string[]) {
    this.#projection = compile(widestPaths(paths));
    this.#paths = new Set(this.#projection === null ? [] : widestPaths(paths));
  }

  /** What the index holds of a document, beside the value. */
  encode(doc: Doc): EncodedDocument | null {
    return this.#projection === null ? null : encodeDocument(this.#projection.apply(doc));
  }

  /** True when a projection asks for nothing that the index does not hold. */
  suffice(projection: CompiledProjection | null): boolean {
    if (projection === null || projection.spec['_id'] === undefined) return false;
    const entries = Object.entries(projection.spec);
    return entries.length > 1 && entries.every(([path, how]) => this.#isCovered(path, how));
  }

  #isCovered(path: string, how: unknown): boolean {
    const isIncluded = how === 1 || how === true;
    return isIncluded ? this.#paths.has(path) : path === '_id' && (how === 0 || how === false);
  }
}

/** Null for names that no projection can have. */
function compile(paths: readonly string[]): CompiledProjection | null {
  const spec: Projection = { _id: 0, ...Object.fromEntries(paths.map((path) => [path, 1])) };
  try {
    return compileProjection(spec);
  } catch (error) {
    if (error instanceof InvalidQueryError) return null;
    throw error;
  }
}
