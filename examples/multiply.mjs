import path from 'node:path';
import { dumpfn, isMain, JSONStore, MapBuilder, MSONable } from 'maggma';

export const MultiplyBuilder = MSONable(import.meta.url, { options: ['multiplier'] })(
  class MultiplyBuilder extends MapBuilder {
    constructor(source, target, options = {}) {
      super(source, target, options);
      this.multiplier = options.multiplier ?? 2;
    }

    unaryFunction(sample) {
      return { a: sample.a * this.multiplier };
    }
  },
);

// Not when `mrun` imports this file for the class.
if (isMain(import.meta.url)) {
  const file = (name) => path.join(import.meta.dirname, name);
  const source = new JSONStore(file('samples.json'), { key: 'k' });
  const target = new JSONStore(file('multiplied-js.json'), { key: 'k', readOnly: false });
  const builder = new MultiplyBuilder(source, target, { multiplier: 3 });

  const report = await builder.run();
  console.log(`${report.status}: ${report.succeeded} built, ${report.failed} failed`);

  dumpfn(builder, file('builder-js.json'), { indent: 2 });
}
