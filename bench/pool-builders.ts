import type { BuilderOptions, Doc, Store } from 'maggma';
import { arg, Builder, MemoryStore, MSONable, option } from 'maggma';
import { spin } from './spin.js';

const store = () => new MemoryStore({ key: 'k' });

/** Counts what arrives. */
abstract class CountingBuilder extends Builder {
  written = 0;

  async updateTargets(docs: readonly Doc[]): Promise<void> {
    this.written += docs.length;
  }
}

/** Items that cost so many microseconds of pure computing; nothing is stored. */
@MSONable(import.meta.url)
export class SpinBuilder extends CountingBuilder {
  @option() readonly items: number;
  @option() readonly microseconds: number;

  constructor(options: { items: number; microseconds: number } & BuilderOptions) {
    super(store(), store(), options);
    this.items = options.items;
    this.microseconds = options.microseconds;
  }

  *getItems() {
    this.total = this.items;
    for (let k = 0; k < this.items; k++) yield { k };
  }

  override processItem({ k }: Doc): Doc {
    return { k, value: spin(this.microseconds) };
  }
}

/** Hands documents on as they are. */
@MSONable(import.meta.url)
export class TrivialBuilder extends CountingBuilder {
  @arg() readonly source: Store;

  constructor(source: Store) {
    super(source, store());
    this.source = source;
  }

  getItems() {
    return this.source.query();
  }
}

/** Quick items, and a target that takes 300 ms for each chunk. */
@MSONable(import.meta.url)
export class SlowTargetBuilder extends SpinBuilder {
  override async updateTargets(docs: readonly Doc[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await super.updateTargets(docs);
  }
}
