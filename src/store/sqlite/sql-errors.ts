/** Primary result codes (sqlite.org/rescode.html). */
const BUSY = 5;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;
const CONSTRAINT = 19;

/** Another process holds a lock. */
export const isBusy = (error: unknown): boolean => codeOf(error) === BUSY;

/** A UNIQUE column has the value already. */
export const isConstraint = (error: unknown): boolean => codeOf(error) === CONSTRAINT;

/** The file or its folder cannot be written. */
export const isReadOnly = (error: unknown): boolean =>
  codeOf(error) === READ_ONLY || codeOf(error) === CANNOT_OPEN;

/** The last byte of an extended code is the primary one. */
function codeOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}
