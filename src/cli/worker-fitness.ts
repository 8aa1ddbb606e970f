import type { AnyBuilder } from '../builder/builder.js';
import { shipBuilder } from '../processor/multiprocess/builder-shipment.js';

/**
 * Tells why a builder cannot run in workers, as far as that can be seen from here; undefined when nothing speaks
 * against it.
 */
export function whyNotInWorkers(builder: AnyBuilder): string | undefined {
  try {
    shipBuilder(builder);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
