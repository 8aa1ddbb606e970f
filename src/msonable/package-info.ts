import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
}

/** A package on disk, as far as naming and finding its modules needs it. */
export interface PackageInfo {
  readonly dir: string;
  readonly name: string;
  readonly version: string | null;
  readonly main: string | null;
  readonly exports: unknown;
}

const read = new Map<string, PackageInfo | null>();

/** The package in exactly this folder. Files such as `{"type": "module"}`, without a name, do not count. */
function packageIn(dir: string): PackageInfo | null {
  const known = read.get(dir);
  if (known !== undefined) return known;
  const found = readPackage(dir);
  // Absence is not remembered: a script may create its package.json.
  if (found) read.set(dir, found);
  return found;
}

function readPackage(dir: string): PackageInfo | null {
  const file = path.join(dir, 'package.json');
  if (!existsSync(file)) return null;
  let json: PackageJson;
  try {
    json = JSON.parse(readFileSync(file, 'utf8')) as PackageJson;
  } catch {
    return null; // Not readable as JSON: node itself will complain about it when that matters.
  }
  const { name, version, main, exports } = json;
  if (typeof name !== 'string' || name === '') return null;
  return {
    dir,
    name,
    version: typeof version === 'string' ? version : null,
    main: typeof main === 'string' ? main : null,
    exports,
  };
}

/** The nearest enclosing package, or null for a loose script. */
export function enclosingPackage(folder: string): PackageInfo | null {
  for (let dir = folder; ; dir = path.dirname(dir)) {
    const found = packageIn(dir);
    if (found) return found;
    if (path.dirname(dir) === dir || path.basename(dir) === 'node_modules') return null;
  }
}

/** The package of that name as seen from a folder: an enclosing one, or the nearest in `node_modules`. */
export function visiblePackage(name: string, folder: string): PackageInfo | null {
  for (let dir = folder; ; dir = path.dirname(dir)) {
    const own = packageIn(dir);
    if (own?.name === name) return own;
    const nested = packageIn(path.join(dir, 'node_modules', name));
    if (nested) return nested;
    if (path.dirname(dir) === dir) return null;
  }
}

/** One target of a package's `exports`: the public subpath (`.`, `./sub`, `./*`) and the file behind it. */
interface ExportTarget {
  readonly subpath: string;
  readonly target: string;
}

/** All string targets of `exports`, whatever their conditions. */
function exportTargets({ exports }: PackageInfo): ExportTarget[] {
  if (exports === undefined || exports === null) return [];
  const entries = Object.entries(exports as object);
  const hasSubpaths =
    typeof exports === 'object' &&
    !Array.isArray(exports) &&
    entries.some(([key]) => key.startsWith('.'));
  const map: [string, unknown][] = hasSubpaths ? entries : [['.', exports]];
  return map.flatMap(([subpath, entry]) => targets(entry).map((target) => ({ subpath, target })));
}

function targets(entry: unknown): string[] {
  if (typeof entry === 'string') return [entry];
  if (Array.isArray(entry)) return entry.flatMap(targets);
  return entry && typeof entry === 'object' ? Object.values(entry).flatMap(targets) : [];
}

/**
 * The public specifier whose target is this file, or null.
 *
 * @param file - Relative to the package, e.g. `./dist/x.js`.
 * @param normalize - Applied to both sides first.
 */
export function specifierOf(
  info: PackageInfo,
  file: string,
  normalize: (file: string) => string = (same) => same,
): string | null {
  const wanted = normalize(file);
  for (const { subpath, target } of exportTargets(info)) {
    const [head = '', tail] = normalize(target).split('*');
    const isMatch = tail === undefined ? head === wanted : isBetween(wanted, head, tail);
    if (!isMatch) continue;
    const star = wanted.slice(head.length, wanted.length - (tail?.length ?? 0));
    return info.name + subpath.slice(1).replace('*', star);
  }
  return null;
}

function isBetween(text: string, head: string, tail: string): boolean {
  return text.length > head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}

/** Makes `./src/a/b.ts` and `./dist/a/b.js` equal: what was run from its sources is found compiled. */
export function withoutOutputFolder(file: string): string {
  return file.replace(/^\.\/[^/*]+\//, './').replace(/\.[mc]?[jt]sx?$/, '');
}
