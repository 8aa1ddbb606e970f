import type { AnyBuilder } from '../../builder/builder.js';
import { InvalidBuilderError } from '../../errors/builder-errors.js';
import { asDict, dumps } from '../../msonable/dump.js';
import { currentFolderUrl } from '../../msonable/import-module.js';
import { fromDict } from '../../msonable/load.js';
import type { MsonDict } from '../../msonable/plain-value.js';
import { definingModules } from '../../msonable/registry.js';
import { runnable, runnableUrl } from '../../util/own-files.js';

/** A builder on its way to a worker. */
export interface BuilderShipment {
  readonly dict: MsonDict;
  /** The modules that define its classes, as `file:` URLs: nothing has to be searched for. */
  readonly imports: readonly string[];
  readonly base: string;
}

/**
 * Packs a builder for workers.
 *
 * @throws {@link SerializationError} when it cannot be written, with the path of the field.
 * @throws {@link InvalidBuilderError} when it needs stores that cannot be seen from there.
 */
export function shipBuilder(builder: AnyBuilder): BuilderShipment {
  assertReachable(builder);
  const dict = asDict(builder);
  // Modules of users import the whole package. Loaded first, its modules do not pass through the hooks of tsx.
  const imports = new Set([runnable('index').href, ...definingModules(dict).map(runnableUrl)]);
  return { dict, imports: [...imports], base: currentFolderUrl() };
}

/**
 * Rebuilds it in the worker.
 *
 * @param allow - Asked before a module is imported that is not among `imports`; without, everything is allowed.
 * @throws {@link InvalidBuilderError} when it is another one then: its constructor does not take what was written.
 */
export async function unpackBuilder(
  { dict, imports, base }: BuilderShipment,
  allow?: (module: string) => boolean,
): Promise<AnyBuilder> {
  const builder = await fromDict<AnyBuilder>(dict, { imports, base, allow });
  const copy = asDict(builder);
  const changed = Object.keys(dict).find(
    (name) => !name.startsWith('@') && dumps(copy[name]) !== dumps(dict[name]),
  );
  if (changed !== undefined)
    throw new InvalidBuilderError(
      builder.constructor.name,
      `is another one when it is made anew from what is written of it: its "${changed}" differs. Its constructor must take the arguments that it declares, in that order`,
    );
  return builder;
}

/** A store that lives in this process is another, empty one in a worker. */
function assertReachable(builder: AnyBuilder): void {
  if (!builder.processUsesStores) return;
  const store = builder.stores().find(({ capabilities }) => !capabilities.crossProcess);
  if (store !== undefined)
    throw new InvalidBuilderError(
      builder.constructor.name,
      `uses its stores in processItem, and ${store.name} cannot be seen from workers: use a SerialProcessor, or a store in a file or on a server`,
    );
}
