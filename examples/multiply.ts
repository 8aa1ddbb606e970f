import path from 'node:path';
import type { MapBuilderOptions, Store } from 'maggma';
import { dumpfn, isMain, JSONStore, MapBuilder, MSONable, option } from 'maggma';

type Sample = { k: number; a: number };

export interface MultiplyOptions extends MapBuilderOptions {
  readonly multiplier?: number;
}

@MSONable(import.meta.url)
export class MultiplyBuilder extends MapBuilder<Sample> {
  @option() readonly multiplier: number;

  constructor(source: Store, target: Store, options: MultiplyOptions = {}) {
    super(source, target, options);
    this.multiplier = options.multiplier ?? 2;
  }

  unaryFunction(sample: Sample) {
    return { a: sample.a * this.multiplier };
  }
}

// Not when `mrun` imports this file for the class.
if (isMain(import.meta.url)) {
  const file = (name: string) => path.join(import.meta.dirname, name);
  const source = new JSONStore(file('samples.json'), { key: 'k' });
  const target = new JSONStore(file('multiplied.json'), { key: 'k', readOnly: false });
  const builder = new MultiplyBuilder(source, target, { multiplier: 3 });

  const report = await builder.run();
  console.log(`${report.status}: ${report.succeeded} built, ${report.failed} failed`);

  dumpfn(builder, file('builder.json'), { indent: 2 });
}
