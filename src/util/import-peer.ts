import { MissingDependencyError } from '../errors/option-errors.js';
import { installCommand } from './install-command.js';

/**
 * Loads an optional package on first use.
 *
 * @param name - Name of the package, for the message.
 * @param usedBy - What needs it, for the message.
 * @param load - A literal `() => import('…')`, so that bundlers and types see the module.
 * @param others - What is needed with it, so that one command installs all.
 * @throws {@link MissingDependencyError} when the package is absent; a package that is there but broken
 * fails with its own error.
 */
export async function importPeer<T>(
  name: string,
  usedBy: string,
  load: () => Promise<T>,
  ...others: readonly string[]
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isAbsent(cause, name)) throw cause;
    const install = installCommand(name, ...others);
    throw new MissingDependencyError(name, usedBy, { cause, install });
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
