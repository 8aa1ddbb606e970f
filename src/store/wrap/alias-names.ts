import { InvalidOptionError } from '../../errors/option-errors.js';
import { isDocument } from '../../query/bson-kind.js';
import { widestPaths } from '../properties.js';

/**
 * Two sets of names for the same fields: those that callers use, and those of the wrapped store.
 *
 * Each field keeps a name of its own on both sides. So a name that an alias takes is given the place that the alias
 * left: with `{ a: 'b' }` what callers see as `b` is stored as `a`, and nothing is lost.
 */
export class AliasNames {
  /** By the callers' name, the stored one. */
  readonly toInternal: ReadonlyMap<string, string>;
  /** By the stored name, the callers'. */
  readonly toExternal: ReadonlyMap<string, string>;
  /** Documents that have fields with an alias, on either side. */
  readonly parents: ReadonlySet<string>;

  /**
   * @param aliases - By the callers' name, the stored one.
   * @throws {@link InvalidOptionError} when two aliases mean one field, or one lies inside another.
   */
  constructor(aliases: Readonly<Record<string, string>>) {
    this.toInternal = completed(checked(aliases));
    this.toExternal = inverted(this.toInternal);
    this.parents = new Set([...this.toInternal.keys()].flatMap(outerPaths));
  }

  /** The stored name of a path; undefined when parts of what it leads to are stored elsewhere. */
  internal(path: string): string | undefined {
    return this.#renamed(path, this.toInternal);
  }

  /** The callers' name of a stored path; undefined when parts of what it leads to are elsewhere for them. */
  external(path: string): string | undefined {
    return this.#renamed(path, this.toExternal);
  }

  /** The stored fields to read for these paths, so that a projection can be applied to what they become. */
  toRead(paths: readonly string[]): string[] {
    return widestPaths(paths.flatMap((path) => this.#sourcesOf(path)));
  }

  #renamed(path: string, names: ReadonlyMap<string, string>): string | undefined {
    if (this.parents.has(path)) return undefined;
    for (const outer of [...outerPaths(path), path]) {
      const name = names.get(outer);
      if (name !== undefined) return name + path.slice(outer.length);
    }
    return path;
  }

  #sourcesOf(path: string): string[] {
    const [top = path] = path.split('.', 1);
    if (!this.parents.has(top)) return [this.internal(path) ?? path];
    // All of the document: whether it is there at all may depend on any part of it.
    const moved = [...this.toInternal].filter(([name]) => name.startsWith(`${top}.`));
    return [top, ...moved.map(([, stored]) => stored)];
  }
}

function checked(aliases: Readonly<Record<string, string>>): Map<string, string> {
  if (!isDocument(aliases))
    throw new InvalidOptionError('aliases', 'an object of stored names', aliases);
  const given = Object.entries(aliases);
  const bad = given.flat().find((name) => !isPath(name));
  if (bad !== undefined)
    throw new InvalidOptionError('aliases', 'names of fields, dotted for nested ones', bad);
  const moved = given.filter(([name, stored]) => name !== stored);
  const stored = given.map(([, name]) => name);
  const twice = stored.find((name, i) => stored.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InvalidOptionError('aliases', `at most one alias for "${twice}"`, aliases);
  const all = new Set(moved.flat());
  const inner = [...all].find((name) => outerPaths(name).some((outer) => all.has(outer)));
  if (inner !== undefined)
    throw new InvalidOptionError('aliases', `without a name inside another ("${inner}")`, aliases);
  return new Map(moved);
}

/** Gives each name that an alias took from another field the name that was left free. */
function completed(aliases: ReadonlyMap<string, string>): Map<string, string> {
  const names = new Map(aliases);
  const callers = inverted(aliases);
  for (const taken of aliases.values()) {
    if (aliases.has(taken)) continue;
    let free = taken;
    for (let next = callers.get(free); next !== undefined; next = callers.get(free)) free = next;
    names.set(taken, free);
  }
  return names;
}

const inverted = (names: ReadonlyMap<string, string>): Map<string, string> =>
  new Map([...names].map(([name, other]) => [other, name]));

/** The documents on the way of a path. */
function outerPaths(path: string): string[] {
  const names = path.split('.');
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('.'));
}

const isPath = (name: unknown): boolean =>
  typeof name === 'string' && name.split('.').every((one) => one !== '' && !one.startsWith('$'));
