import { MapBuilder, MSONable } from 'maggma';

/** What is read of a document in the source. */
export interface Material {
  readonly name: string;
  readonly mass: number;
  readonly volume?: number;
}

/** Builds the density of each material. */
@MSONable(import.meta.url)
export class DensityBuilder extends MapBuilder<Material> {
  unaryFunction({ mass, volume }: Material) {
    if (volume === undefined) return null; // Nothing to build: skipped.
    if (volume <= 0) throw new RangeError(`the volume is ${volume}`); // Cannot be built: failed.
    return { density: mass / volume };
  }
}
