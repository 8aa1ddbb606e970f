import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyBuilder } from '../builder/builder.js';
import { isBuilder } from '../builder/builder.js';
import { InvalidBuilderError } from '../errors/builder-errors.js';
import { isMaggmaError } from '../errors/maggma-error.js';
import { FileFormatError } from '../errors/serialization-errors.js';
import { importModule } from '../msonable/import-module.js';
import { loadfn } from '../msonable/load.js';
import type { BuilderFileKind } from './builder-file.js';
import { checkBuilderFile } from './builder-file.js';
import { describeValue } from './describe-value.js';
// Registers all classes of the package, so that files can name them.
import '../index.js';

type Exports = Readonly<Record<string, unknown>>;

const METHODS = ['getItems', 'processItem', 'updateTargets'] as const;

/**
 * Reads the builders of all files, in their order. Nothing is opened: no store is connected.
 *
 * @throws {@link FileFormatError} for a file that holds no builder, with its name.
 * @throws {@link InvalidBuilderError} for a builder that lacks a method.
 */
export async function loadBuilders(files: readonly string[]): Promise<AnyBuilder[]> {
  // All of them first, so that no script runs when a later name is wrong.
  const kinds: BuilderFileKind[] = [];
  for (const file of files) kinds.push(await checkBuilderFile(file));
  const builders: AnyBuilder[] = [];
  for (const [i, file] of files.entries())
    builders.push(...(await loadFile(file, kinds[i] ?? 'dump')));
  return builders;
}

async function loadFile(file: string, kind: BuilderFileKind): Promise<AnyBuilder[]> {
  const value = await naming(file, () => (kind === 'dump' ? loadfn(file) : loadScript(file)));
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw notBuilder(file, 'holds', value);
  return list.map((item, i) => {
    const place = Array.isArray(value) ? `holds at [${i}]` : 'holds';
    if (!isBuilder(item)) throw notBuilder(file, place, item);
    for (const method of METHODS)
      if (typeof item[method] !== 'function')
        throw new InvalidBuilderError(`${file}: ${item.constructor.name}`, `has no ${method}()`);
    return item;
  });
}

async function loadScript(file: string): Promise<unknown> {
  const exports = await importModule(pathToFileURL(path.resolve(file)).href);
  // A CommonJS module is the default export of itself.
  for (const { __builders__, __builder__ } of [exports, asExports(exports['default'])]) {
    if (__builders__ !== undefined) return __builders__;
    if (__builder__ !== undefined) return __builder__;
  }
  if (exports['default'] !== undefined) return exports['default'];
  throw new FileFormatError(
    file,
    'it exports no builder: export `__builder__`, a list `__builders__`, or a default',
  );
}

function asExports(value: unknown): Exports {
  return typeof value === 'object' && value !== null && !isBuilder(value) ? (value as Exports) : {};
}

function notBuilder(file: string, place: string, value: unknown): FileFormatError {
  return new FileFormatError(
    file,
    `expected a builder or a list of builders, it ${place} ${describeValue(value)}`,
  );
}

/** Adds the name of the file to what goes wrong, where it is not there already. */
async function naming(file: string, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load();
  } catch (error) {
    const problem = isMaggmaError(error) ? error.message : problemOfImport(file, error);
    if (problem === undefined || problem.includes(`${file}: `)) throw error;
    throw new FileFormatError(file, problem, { cause: error });
  }
}

/** What is wrong, for errors whose stack lies inside of node and says nothing; undefined for all others. */
function problemOfImport(file: string, error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return error.message;
  if (error.name !== 'SyntaxError') return undefined;
  const advice = /js$/i.test(file) ? ` (\`node ${file}\` shows where)` : '';
  return `it cannot be imported: ${error.message}${advice}`;
}
