// Writes builder.json, which `npx mrun builder.json` runs.
import { dumpfn, JSONStore } from 'maggma';
import { DensityBuilder } from './density-builder.js';

const source = new JSONStore('samples.json', { key: 'name' });
const target = new JSONStore('densities.json', { key: 'name', readOnly: false });

dumpfn(new DensityBuilder(source, target), 'builder.json', { indent: 2 });
