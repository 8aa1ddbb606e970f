// A builder for workers in processes of their own, which know no TypeScript.
import { appendFileSync } from 'node:fs';
import { Builder, MSONable } from 'maggma';

/** Chunks that take so long, and leave nothing but a line in a file when they begin. */
export class SleepBuilder extends Builder {
  constructor(source, target, { ms, file = null, index = null }) {
    super(source, target);
    Object.assign(this, { source, target, ms, file, index });
  }

  async *getItems() {
    this.total = 1;
    yield { ms: this.ms };
  }

  async processItem({ ms }) {
    if (this.file !== null) appendFileSync(this.file, `${this.index}\n`);
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }

  async *prechunk(count) {
    this.total = count;
    for (let index = 0; index < count; index++) yield { index };
  }

  async updateTargets() {}
}
MSONable(import.meta.url, { args: ['source', 'target'], options: ['ms', 'file', 'index'] })(
  SleepBuilder,
);
