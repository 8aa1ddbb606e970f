import type { BuilderOptions, Doc, Store } from 'maggma';
import { arg, Builder, MSONable, option } from 'maggma';
import { spin } from './spin.js';

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

  constructor(
    source: Store,
    target: Store,
    options: { items: number; microseconds: number } & BuilderOptions,
  ) {
    super(source, target, options);
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
export class TrivialBuilder extends Builder {
  @arg() readonly source: Store;
  @arg() readonly target: Store;

  constructor(source: Store, target: Store) {
    super(source, target);
    this.source = source;
    this.target = target;
  }

  getItems() {
    return this.source.query();
  }

  updateTargets(docs: readonly Doc[]) {
    return this.target.update(docs);
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
