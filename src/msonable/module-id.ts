import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { enclosingPackage, specifierOf } from './package-info.js';

/** What identifies a module beyond this process. */
export interface ModuleId {
  /** `pkg/sub`, `pkg/dist/internal.js`, or a `file:` URL. */
  readonly module: string;
  /** The version of its package. */
  readonly version: string | null;
  readonly packageDir: string | null;
}

/**
 * Finds the portable name of a module.
 *
 * 1. A target of its package's `exports`, or its `main`, has its public specifier: `pkg/sub`.
 * 2. Another file of a package that can be imported is named by its path: `pkg/src/internal.ts`.
 * 3. Anything else (a folder of scripts) keeps its `file:` URL, which `dumpfn` makes relative to the file.
 *
 * @param url - The module's `import.meta.url`.
 */
export function identify(url: string): ModuleId {
  if (!url.startsWith('file:')) return { module: url, version: null, packageDir: null };
  const file = fileURLToPath(url.replace(/[?#].*$/, ''));
  const script = pathToFileURL(file).href;
  const found = enclosingPackage(path.dirname(file));
  if (!found) return { module: script, version: null, packageDir: null };
  const { dir, name, version, main, exports } = found;
  const common = { version, packageDir: dir };
  const inside = path.relative(dir, file).split(path.sep).join('/');
  const specifier = specifierOf(found, `./${inside}`);
  if (specifier !== null) return { module: specifier, ...common };
  if (exports === undefined && main !== null && path.resolve(dir, main) === file)
    return { module: name, ...common };
  const isImportable = exports !== undefined || main !== null;
  return { module: isImportable ? `${name}/${inside}` : script, ...common };
}

/** Tells whether a `@module` is a path relative to the file that names it. */
export function isRelative(module: string): boolean {
  return module.startsWith('./') || module.startsWith('../');
}

/**
 * A `file:` URL as a path relative to a folder, so that the folder can be moved; other names as they are.
 *
 * @param folder - Absolute, without symbolic links.
 */
export function relativeTo(folder: string, module: string): string {
  if (!module.startsWith('file:')) return module;
  const relative = path.relative(folder, fileURLToPath(module));
  if (path.isAbsolute(relative)) return module; // On another drive.
  const portable = relative.split(path.sep).join('/');
  return portable.startsWith('../') ? portable : `./${portable}`;
}

/**
 * The name under which classes of a `@module` are registered here: paths become `file:` URLs.
 *
 * @param base - `file:` URL of the file that names the module, or of a folder with a slash at the end.
 */
export function registeredModule(module: string, base: string): string {
  if (isRelative(module))
    return pathToFileURL(path.resolve(fileURLToPath(new URL('.', base)), module)).href;
  return path.isAbsolute(module) ? pathToFileURL(module).href : module;
}
