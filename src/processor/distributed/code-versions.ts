import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UnfitWorkerError } from '../../errors/distributed-errors.js';
import { splitSpecifier } from '../../msonable/module-candidates.js';
import { identify, isRelative, relativeTo } from '../../msonable/module-id.js';
import { enclosingPackage, visiblePackage } from '../../msonable/package-info.js';

/**
 * What a builder is made of: packages with their versions; scripts, by their paths relative to the current folder, with
 * digests of their text.
 */
export type CodeVersions = Readonly<Record<string, string>>;

/** The package that this module is part of. */
const OWN = enclosingPackage(path.dirname(fileURLToPath(import.meta.url)));

/** What this process has loaded of it. */
export const OWN_VERSION = `${OWN?.name}@${OWN?.version}`;

/**
 * Names what modules belong to.
 *
 * @param urls - Of modules that are loaded.
 */
export function versionsOf(urls: readonly string[]): CodeVersions {
  const versions: Record<string, string> = {};
  for (const url of urls) {
    const { module, version } = identify(url);
    if (module.startsWith('file:'))
      versions[relativeTo(realpathSync(process.cwd()), module)] = digestOf(fileURLToPath(module));
    else versions[splitSpecifier(module).name] = String(version);
  }
  return versions;
}

/** The folders in which a worker looks for code: where it was started, and those that it was given. */
export class CodePlaces {
  readonly #folders: readonly string[];

  /** @param allow - More folders. */
  constructor(allow: readonly string[]) {
    this.#folders = [process.cwd(), ...allow.map((folder) => path.resolve(folder))];
  }

  /** `file:` URLs of the folders. */
  get bases(): string[] {
    return this.#folders.map((folder) => pathToFileURL(`${folder}${path.sep}`).href);
  }

  /**
   * Finds a script in one of the folders.
   *
   * @param module - A path that somebody else wrote: one that leads out of the folder is never followed.
   * @returns Its `file:` URL.
   */
  script(module: string): string | undefined {
    if (!module.startsWith('./') || module.split(/[\\/]/).includes('..')) return undefined;
    const file = this.#folders.map((folder) => path.join(folder, module)).find(existsSync);
    return file === undefined ? undefined : pathToFileURL(realpathSync(file)).href;
  }

  /**
   * Makes sure that the same code is here.
   *
   * @throws {@link UnfitWorkerError} when some is missing or other, with both versions.
   */
  assertSame(versions: CodeVersions): void {
    const where = `seen from ${this.#folders.join(' or ')}`;
    for (const [name, wanted] of Object.entries(versions)) {
      const found = isRelative(name) ? this.#digest(name) : this.#version(name);
      if (found === undefined)
        throw new UnfitWorkerError(
          `This worker lacks ${name} (${wanted}), ${where}: start it where the builder can be imported, or allow one more folder`,
        );
      if (found !== wanted)
        throw new UnfitWorkerError(
          `This worker has another ${name}, ${where}: ${found} here, ${wanted} at the manager`,
        );
    }
  }

  #digest(module: string): string | undefined {
    const url = this.script(module);
    return url === undefined ? undefined : digestOf(fileURLToPath(url));
  }

  #version(name: string): string | undefined {
    if (name === OWN?.name) return String(OWN.version);
    const found = this.#folders.map((folder) => visiblePackage(name, folder)).find(Boolean);
    return found ? String(found.version) : undefined;
  }
}

const digestOf = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
