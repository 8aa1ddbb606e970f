import { MissingDependencyError } from '../errors/option-errors.js';

/**
 * Loads an optional package on first use.
 *
 * @param name - Name of the package, for the message.
 * @param usedBy - What needs it, for the message.
 * @param load - A literal `() => import('…')`, so that bundlers and types see the module.
 * @throws {@link MissingDependencyError} when the package is absent; a package that is there but broken
 * fails with its own error.
 */
export async function importPeer<T>(
  name: string,
  usedBy: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (isAbsent(cause, name)) throw new MissingDependencyError(name, usedBy, { cause });
    throw cause;
  }
}

function isAbsent(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  );
}
