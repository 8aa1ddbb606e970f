import type { AnyBuilder } from '../../builder/builder.js';
import { currentFolderUrl } from '../../msonable/import-module.js';
import { moduleCandidates, splitSpecifier } from '../../msonable/module-candidates.js';
import { isRelative } from '../../msonable/module-id.js';
import { OWN_VALUES } from '../../msonable/own-values.js';
import type { PlainRecord, PlainValue } from '../../msonable/plain-value.js';
import { OWN_INDEX } from '../../util/own-files.js';
import { setOwn } from '../../util/set-own.js';
import { unpackBuilder } from '../multiprocess/builder-shipment.js';
import { CodePlaces } from './code-versions.js';
import type { StageHeader } from './stage-header.js';

/**
 * Makes the builder of a chunk.
 *
 * Modules come from the worker's own folders alone, and only those that the header names, which was compared with what is
 * here.
 *
 * @param change - The arguments in which the chunk differs.
 * @param allow - The folders that the worker may use beside the current one.
 * @throws {@link UnknownClassError} for a class of any other module; and as `fromDict`.
 */
export async function buildChunk(
  { builder: shared, versions }: StageHeader,
  change: PlainRecord,
  allow: readonly string[],
): Promise<AnyBuilder> {
  const places = new CodePlaces(allow);
  const isNamed = (module: string) =>
    isOurs(module) ||
    Object.hasOwn(versions, isRelative(module) ? module : splitSpecifier(module).name);
  const scripts = new Set<string>();
  const packaged = new Set<string>();
  const dict = resolved({ ...shared, ...change }, (module) => {
    if (!isNamed(module)) return module;
    const script = places.script(module);
    if (script !== undefined) scripts.add(script);
    else if (!isOurs(module)) packaged.add(module);
    return script ?? module;
  }) as typeof shared;
  const imports = [OWN_INDEX, ...scripts];
  // The current folder is where modules are looked for anyway.
  const others = places.bases.slice(1);
  for (const module of others.length > 0 ? packaged : [])
    imports.push(...(await moduleCandidates(module, others)).slice(0, 1));
  return unpackBuilder({ dict, imports, base: currentFolderUrl() }, isNamed);
}

/** Its classes come with this package. */
const isOurs = (module: string): boolean => /^maggma(_ts)?\./.test(module);

/** A copy with other names of modules. What is inside of values that are no objects of classes stays as it is. */
function resolved(value: PlainValue, rename: (module: string) => string): PlainValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => resolved(item, rename));
  const { '@module': module } = value;
  if (module === OWN_VALUES) return value;
  const copy: PlainRecord = {};
  for (const [name, item] of Object.entries(value))
    setOwn(
      copy,
      name,
      name === '@module' && typeof item === 'string' ? rename(item) : resolved(item, rename),
    );
  return copy;
}
