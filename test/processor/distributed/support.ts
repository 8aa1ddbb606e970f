import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Doc } from 'maggma';
import { SQLiteStore } from 'maggma';
import { makeSecretFile } from '../../../src/processor/distributed/secret-file.js';

/** Waits until something is true, asking again and again. */
export async function until(
  what: string,
  withinMs: number,
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new RangeError(`waited in vain until ${what}`);
    await setTimeout(20);
  }
}

/** A folder for the files of one test, with a secret and collections in a SQLite file. */
export class Workshop implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'maggma-distributed-'));
  readonly secretFile = path.join(this.folder, 'secret');
  readonly #stores: SQLiteStore[] = [];

  constructor() {
    makeSecretFile(this.secretFile);
  }

  /** A path in the folder. */
  file(name = randomBytes(4).toString('hex')): string {
    return path.join(this.folder, name);
  }

  /** A collection, open, with these documents. */
  async store(name: string, docs: readonly Doc[] = []): Promise<SQLiteStore> {
    const store = new SQLiteStore(this.file('data.db'), name, { key: 'k' });
    this.#stores.push(store);
    await store.connect();
    if (docs.length > 0) await store.update(docs);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close();
    rmSync(this.folder, { recursive: true });
  }
}
