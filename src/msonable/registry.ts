import 'reflect-metadata';
import { ClassDeclarationError } from '../errors/serialization-errors.js';
import type { AnyClass } from './fields.js';
import type { PlainRecord, PlainValue } from './plain-value.js';

/** What is known about one decorated class. */
export interface ClassInfo {
  readonly cls: AnyClass;
  /** Written as `@class`. */
  readonly name: string;
  /** Written as `@module`: a dotted name, a package specifier such as `pkg/sub`, or a `file:` URL. */
  readonly module: string;
  readonly version: string | null;
  /** The module that defines the class in this process. */
  readonly url: string;
  /** Folder of the package that defines it, or null for a loose script. */
  readonly packageDir: string | null;
}

/** Imports the module that defines (and so registers) the classes of one `@module`. */
export type ModuleImporter = () => Promise<unknown>;

/** Turns the tagged form of a value that is no MSONable object into the value. */
export type ValueDecoder = (dict: PlainRecord) => unknown;

interface State {
  readonly classes: Map<string, ClassInfo>;
  readonly redirects: Map<string, AnyClass>;
  readonly modules: Map<string, ModuleImporter>;
  readonly values: Map<string, ValueDecoder>;
  /** Options that the caller of a constructor passed; see `markGiven`. */
  readonly given: WeakMap<object, Set<string>>;
  /** Tagged records that were read and left as they are; see `foreign.ts`. */
  readonly kept: WeakSet<object>;
}

// One per process, also when the library is loaded twice (two versions, sources beside the compiled code).
const STATE = Symbol.for('maggma.msonable/1');
const holder = globalThis as { [STATE]?: State };
holder[STATE] ??= {
  classes: new Map(),
  redirects: new Map(),
  modules: new Map(),
  values: new Map(),
  given: new WeakMap(),
  kept: new WeakSet(),
};

/** What all copies of the library in this process share. */
export const state: State = holder[STATE];

const INFO = Symbol.for('maggma.msonable/class');

/** The key of a module and a class in the tables of {@link state}. */
export const tagKey = (module: string, name: string): string => `${module}#${name}`;

/** Makes a class known under its module and name, and under its aliases. */
export function registerClass(info: ClassInfo, aliases: readonly string[]): void {
  Reflect.defineMetadata(INFO, info, info.cls);
  for (const module of [info.module, ...aliases]) {
    const key = tagKey(module, info.name);
    const known = state.classes.get(key);
    // A second copy of a package (nested node_modules): the first one answers to the name.
    if (known && known.packageDir !== info.packageDir) continue;
    if (known && known.url !== info.url)
      throw new ClassDeclarationError(
        info.name,
        `two classes claim this name in "${module}", one in ${known.url} and one in ${info.url}: pass { name } to MSONable() for one of them, or load only one copy`,
      );
    // The same module again (reloaded on change, imported with a query): the newest wins.
    state.classes.set(key, info);
  }
}

/** The registration of exactly this class, never of a base class. */
export function infoOf(cls: unknown): ClassInfo | undefined {
  if (typeof cls !== 'function') return undefined;
  return Reflect.getOwnMetadata(INFO, cls) as ClassInfo | undefined;
}

/** The registration of the nearest base class that has one. */
export function inheritedInfo(cls: unknown): ClassInfo | undefined {
  if (typeof cls !== 'function') return undefined;
  return Reflect.getMetadata(INFO, cls) as ClassInfo | undefined;
}

/** Tells whether a value is an instance of a decorated class (its own class, not only a base class). */
export function isMSONable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && infoOf(classOf(value)) !== undefined;
}

/** The class of an instance. Never its own `constructor` property, which is data. */
export function classOf(value: object): unknown {
  const prototype = Reflect.getPrototypeOf(value);
  return prototype === null ? undefined : (Reflect.get(prototype, 'constructor') as unknown);
}

/** The class that is known under a name in files, by its own name, an alias or a redirect. */
export function lookupClass(module: string, name: string): ClassInfo | undefined {
  const key = tagKey(module, name);
  const redirect = state.redirects.get(key);
  return redirect ? infoOf(redirect) : state.classes.get(key);
}

/**
 * The modules that define the classes named in plain data, each once, as URLs.
 *
 * @param value - What `asDict` made in this process, so that all its classes are known here.
 */
export function definingModules(value: PlainValue): string[] {
  const urls = new Set<string>();
  const walk = (item: PlainValue): void => {
    if (typeof item !== 'object' || item === null) return;
    if (Array.isArray(item)) item.forEach(walk);
    else {
      const { '@module': module, '@class': name } = item;
      const info =
        typeof module === 'string' && typeof name === 'string'
          ? lookupClass(module, name)
          : undefined;
      if (info !== undefined) urls.add(info.url);
      Object.values(item).forEach(walk);
    }
  };
  walk(value);
  return [...urls];
}

/** All classes of that name, whatever their modules. */
export function classesNamed(name: string): ClassInfo[] {
  return [...state.classes.values()].filter((info) => info.name === name);
}

/**
 * Lets a class answer to a name in files that is not its own: one of Python's, or one from before a renaming.
 *
 * @param module - The `@module` in the files.
 * @param name - The `@class` in the files.
 * @param cls - The decorated class to build instead.
 * @throws {@link ClassDeclarationError} when the class is not decorated.
 *
 * @example
 * ```ts
 * registerRedirect('golden_pkg.builders', 'TimesTwoBuilder', TimesTwoBuilder);
 * ```
 */
export function registerRedirect(module: string, name: string, cls: AnyClass): void {
  if (!infoOf(cls))
    throw new ClassDeclarationError(
      cls.name,
      'it is not serializable: decorate it with @MSONable(import.meta.url)',
    );
  state.redirects.set(tagKey(module, name), cls);
}

/**
 * Tells how to import the classes of one `@module`, for entry points that are loaded on demand.
 *
 * @param module - The `@module` in files, e.g. `maggma.stores.aws`.
 * @param importer - A literal `() => import('…')` of the module that decorates them.
 */
export function registerModule(module: string, importer: ModuleImporter): void {
  state.modules.set(module, importer);
}

/**
 * Adds a value that is no MSONable object, such as a member of one of Python's enums.
 *
 * @param module - The `@module` of its tagged form.
 * @param name - The `@class` of its tagged form.
 * @param decode - Makes the value; it may throw, and the place in the file is then added.
 */
export function registerValueType(module: string, name: string, decode: ValueDecoder): void {
  state.values.set(tagKey(module, name), decode);
}
