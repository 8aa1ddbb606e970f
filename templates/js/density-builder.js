import { MapBuilder, MSONable } from 'maggma';

/** Builds the density of each material. */
export const DensityBuilder = MSONable(import.meta.url)(
  class DensityBuilder extends MapBuilder {
    unaryFunction({ mass, volume }) {
      if (volume === undefined) return null; // Nothing to build: skipped.
      if (volume <= 0) throw new RangeError(`the volume is ${volume}`); // Cannot be built: failed.
      return { density: mass / volume };
    }
  },
);
