import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MissingDependencyError } from '../errors/option-errors.js';
import { installCommand } from '../util/install-command.js';
import { resolveSpecifier } from './resolve-specifier.js';

/**
 * Imports a module of a user: JavaScript, or TypeScript through the tsx of the user's project.
 *
 * tsx is looked for from the file, then from the current folder, then from this package.
 *
 * @param fileUrl - A `file:` URL.
 * @returns The module's exports.
 * @throws {@link MissingDependencyError} for TypeScript without tsx. What the module itself throws passes.
 */
export async function importModule(fileUrl: string): Promise<Record<string, unknown>> {
  if (isTypeScript(fileUrl)) await registerTsx(fileUrl);
  return (await import(/* @vite-ignore */ fileUrl)) as Record<string, unknown>;
}

/** `file:` URL of the current folder, with a slash at the end. */
export function currentFolderUrl(): string {
  return pathToFileURL(`${process.cwd()}${path.sep}`).href;
}

function isTypeScript(url: string): boolean {
  return /\.[mc]?tsx?(?:[?#]|$)/.test(url);
}

let registered: Promise<void> | undefined;

/** Node's own type stripping refuses decorators, and workers ignore `--import tsx`: so by hand, once. */
async function registerTsx(fileUrl: string): Promise<void> {
  if ('Bun' in globalThis || 'Deno' in globalThis) return;
  registered ??= register(fileUrl);
  try {
    await registered;
  } catch (error) {
    registered = undefined; // The next file may lie in a project that has it.
    throw error;
  }
}

async function register(fileUrl: string): Promise<void> {
  const api = await findTsx([fileUrl, currentFolderUrl(), import.meta.url]);
  if (api === undefined)
    throw new MissingDependencyError(
      'tsx',
      `Importing ${fileURLToPath(fileUrl)}, which is TypeScript (run \`npm install -D tsx\` or compile it first),`,
      { install: installCommand('tsx') },
    );
  const tsx = (await import(/* @vite-ignore */ api)) as { register(): unknown };
  tsx.register();
}

async function findTsx(parents: readonly string[]): Promise<string | undefined> {
  for (const parent of parents) {
    // Not require.resolve: that finds the CommonJS entry.
    const found = await resolveSpecifier('tsx/esm/api', parent);
    if (found !== undefined) return found;
  }
  return undefined;
}
