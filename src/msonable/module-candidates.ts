import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isRelative, registeredModule } from './module-id.js';
import type { PackageInfo } from './package-info.js';
import { specifierOf, visiblePackage, withoutOutputFolder } from './package-info.js';
import { resolveSpecifier } from './resolve-specifier.js';

/**
 * The files that may define the classes of a `@module`, best first. All exist.
 *
 * Paths are taken from the first base only; package specifiers are looked for from each. In a package that
 * can be seen but does not export the module, its file is taken, then the compiled counterpart of a source
 * file, then the main entry. Nothing but files is ever imported: no `data:` or `http:` URL, no module of node.
 *
 * @param bases - `file:` URLs of files or folders.
 */
export async function moduleCandidates(
  module: string,
  bases: readonly string[],
): Promise<string[]> {
  const [first = ''] = bases;
  if (isRelative(module) || path.isAbsolute(module) || module.startsWith('file:'))
    return existing([registeredModule(module, first)]);
  if (/^[a-z][a-z0-9+.-]*:/i.test(module) || module.split('/').includes('..')) return [];
  const found = await Promise.all(bases.map((base) => fromBase(module, base)));
  return existing(found.flat());
}

async function fromBase(module: string, base: string): Promise<string[]> {
  const { name, rest } = splitSpecifier(module);
  const found = visiblePackage(name, fileURLToPath(new URL('.', base)));
  const candidates = [await resolveSpecifier(module, base)];
  if (found) {
    // Also for a package that cannot import itself by its name, which takes `exports`.
    const self = pathToFileURL(path.join(found.dir, 'package.json')).href;
    candidates.push(await resolveSpecifier(module, self));
    if (rest !== '') {
      candidates.push(pathToFileURL(path.join(found.dir, rest)).href);
      const counterpart = specifierOf(found, `./${rest}`, withoutOutputFolder);
      if (counterpart !== null) candidates.push(await resolveSpecifier(counterpart, self));
    }
    candidates.push(await resolveSpecifier(name, self), mainOf(found));
  }
  return candidates.filter((url) => url !== undefined);
}

function mainOf({ dir, main }: PackageInfo): string | undefined {
  return main === null ? undefined : pathToFileURL(path.join(dir, main)).href;
}

function existing(urls: readonly string[]): string[] {
  const files = urls.filter((url) => url.startsWith('file:') && existsSync(fileURLToPath(url)));
  return [...new Set(files)];
}

/** Splits `@scope/name/sub/path` into the package's name and the rest. */
export function splitSpecifier(specifier: string): { name: string; rest: string } {
  const parts = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  return { name: parts.slice(0, length).join('/'), rest: parts.slice(length).join('/') };
}
