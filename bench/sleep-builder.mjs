// A builder for workers in processes of their own, which know no TypeScript.
import { Builder, MSONable } from 'maggma';

/** Chunks that take so long, and leave nothing. */
export class SleepBuilder extends Builder {
  constructor(source, target, { ms, index = null }) {
    super(source, target);
    Object.assign(this, { source, target, ms, index });
  }

  async *getItems() {
    this.total = 1;
    yield { ms: this.ms };
  }

  async processItem({ ms }) {
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }

  async *prechunk(count) {
    this.total = count;
    for (let index = 0; index < count; index++) yield { index };
  }

  async updateTargets() {}
}
MSONable(import.meta.url, { args: ['source', 'target'], options: ['ms', 'index'] })(SleepBuilder);
