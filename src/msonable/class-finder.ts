import { fileURLToPath } from 'node:url';
import { MissingDependencyError } from '../errors/option-errors.js';
import { DeserializationError } from '../errors/serialization-errors.js';
import { isCallable, isForeignValue, tagOf } from './foreign.js';
import { currentFolderUrl, importModule } from './import-module.js';
import { moduleCandidates, splitSpecifier } from './module-candidates.js';
import { registeredModule } from './module-id.js';
import { OWN_VALUES } from './own-values.js';
import type { PlainRecord, PlainValue } from './plain-value.js';
import { childPath, isPlainRecord } from './plain-value.js';
import type { ClassInfo } from './registry.js';
import { classesNamed, infoOf, lookupClass, registerRedirect, state, tagKey } from './registry.js';
import './python-values.js';

/** Where classes come from that are not known yet. */
export interface FinderOptions {
  /**
   * `file:` URL of the file that names the classes, or of a folder with a slash at the end. Relative modules
   * are taken from there; packages are looked for from there, from the current folder and from this package.
   * @defaultValue the current folder
   */
  readonly base?: string | undefined;
  /**
   * Asked before a module is imported, with the `@module` of the file. Modules that are named in a file are
   * code that runs: pass this for a file that is not yours.
   * @defaultValue everything is allowed
   */
  readonly allow?: ((module: string) => boolean) | undefined;
  /** Modules to import first: `file:` URLs, paths relative to `base`, or package specifiers. */
  readonly imports?: Iterable<string> | undefined;
}

/** Finds the classes that plain data names, importing the modules that define them. */
export class ClassFinder {
  readonly #base: string;
  readonly #bases: readonly string[];
  readonly #allow: (module: string) => boolean;
  readonly #imports: Iterable<string>;
  /** Why a class was not found. */
  readonly #reasons = new Map<string, string>();

  constructor(options: FinderOptions = {}) {
    const { base = currentFolderUrl(), allow = () => true, imports = [] } = options;
    this.#base = base;
    this.#bases = [...new Set([base, currentFolderUrl(), import.meta.url])];
    this.#allow = allow;
    this.#imports = imports;
  }

  /** The class, if it is known by now. */
  readonly find = (module: string, name: string): ClassInfo | undefined =>
    lookupClass(registeredModule(module, this.#base), name);

  /** Why a class is not known, and what to do about it. */
  readonly advise = (module: string, name: string): string => {
    const reason = this.#reasons.get(tagKey(module, name)) ?? 'it is not registered';
    const redirect = `registerRedirect(${JSON.stringify(module)}, ${JSON.stringify(name)}, YourClass)`;
    return `${reason}; if a class of yours takes its place, import it and call ${redirect} before loading`;
  };

  /**
   * Imports what defines the classes in a value. Does not look into records of unknown classes.
   *
   * @throws {@link DeserializationError} when a module that was found fails while it is imported.
   */
  async prepare(value: PlainValue): Promise<void> {
    for (const module of this.#imports) await this.#importFirst(module);
    // A loop, not recursion, and each object once: the value may be deep, or contain itself.
    const seen = new Set<object>();
    const waiting: [PlainValue, string][] = [[value, '$']];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [item, path] = next;
      if (typeof item !== 'object' || item === null || seen.has(item)) continue;
      seen.add(item);
      for (const [key, member] of await this.#members(item, path))
        waiting.push([member, childPath(path, key)]);
    }
  }

  async #importFirst(module: string): Promise<void> {
    const [url] = await moduleCandidates(module, this.#bases);
    if (url === undefined)
      throw new DeserializationError('$', `Cannot find the module "${module}" of \`imports\``);
    await importModule(url);
  }

  /** The members in which classes may be named. */
  async #members(
    item: PlainValue[] | PlainRecord,
    path: string,
  ): Promise<Iterable<[string | number, PlainValue]>> {
    if (Array.isArray(item)) return item.entries();
    if (!isPlainRecord(item) || isCallable(item)) return [];
    const tag = tagOf(item);
    const isObject =
      tag !== null && tag.module !== OWN_VALUES && !state.values.has(tagKey(tag.module, tag.name));
    if (!isObject) return Object.entries(item);
    if (this.find(tag.module, tag.name)) return Object.entries(item);
    if (isForeignValue(item) || this.#reasons.has(tagKey(tag.module, tag.name))) return [];
    const reason = await this.#load(tag.module, tag.name, path);
    if (reason === null) return Object.entries(item);
    this.#reasons.set(tagKey(tag.module, tag.name), reason);
    return [];
  }

  /** Imports what may define a class. Returns why it is unknown still, or null. */
  async #load(module: string, name: string, path: string): Promise<string | null> {
    const importer = state.modules.get(module);
    const candidates = importer ? [] : await moduleCandidates(module, this.#bases);
    if (!importer && candidates.length === 0) return this.#notFound(module);
    if (!this.#allow(module)) return `importing "${module}" is not allowed here`;
    if (importer) {
      await importer();
      return this.find(module, name) ? null : `${module} has no class of that name`;
    }
    let missing: MissingDependencyError | undefined;
    for (const url of candidates) {
      const exports = await importCandidate(url, name, path);
      if (exports instanceof MissingDependencyError) missing ??= exports;
      else if (this.#adopt(module, name, exports)) return null;
    }
    if (missing) throw missing;
    const files = candidates.map((url) => fileURLToPath(url)).join(', ');
    return `${files} was imported but exports no MSONable "${name}": export it, and decorate it with @MSONable(import.meta.url)`;
  }

  #notFound(module: string): string {
    if (/^maggma(_ts)?\./.test(module))
      return `this version of the package has no such class, or the entry that defines it was not imported`;
    const places = this.#bases
      .slice(0, -1)
      .map((base) => fileURLToPath(new URL('.', base)))
      .join(' or ');
    return `there is no module "${module}" to import, seen from ${places}`;
  }

  /**
   * Accepts a class that is registered under another name: the file was moved, or it ran from its sources then
   * and is compiled now. It must be what the module exports, or be of the same package.
   */
  #adopt(module: string, name: string, exports: Record<string, unknown>): boolean {
    if (this.find(module, name)) return true;
    const exported = infoOf(exports[name]);
    const { name: packageName } = splitSpecifier(module);
    const found =
      exported ??
      classesNamed(name).find((info) => splitSpecifier(info.module).name === packageName);
    if (!found) return false;
    registerRedirect(registeredModule(module, this.#base), name, found.cls);
    return true;
  }
}

async function importCandidate(
  url: string,
  name: string,
  path: string,
): Promise<Record<string, unknown> | MissingDependencyError> {
  try {
    return await importModule(url);
  } catch (cause) {
    if (cause instanceof MissingDependencyError) return cause;
    // The file exists, so that the failure is its own; going on to the next one would hide it.
    const problem = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new DeserializationError(
      path,
      `Importing ${url} for the class "${name}" failed: ${problem}`,
      { cause },
    );
  }
}
