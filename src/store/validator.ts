import type { Doc } from '../query/document.js';

/** Decides which documents a store accepts. */
export interface Validator {
  /** True when one bad document makes `update` throw and store nothing; false when it is left out. */
  readonly strict: boolean;
  /** The same for the same rules only; builders remember by it what was refused, until the rules change. */
  readonly fingerprint?: string | undefined;
  /** Tells whether a document may be stored. */
  isValid(doc: Doc): boolean;
  /** What is wrong with a document, each as `path: message`; empty for a valid one. */
  validationErrors(doc: Doc): string[];
}
