import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Doc } from '../query/document.js';

/** A folder through which a test and its items tell each other how far they are, wherever the items are processed. */
export class Meeting implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'maggma-suite-'));

  /** An item that says that it is at work, and ends when {@link go} is called. */
  item(k: number): Doc {
    return { k, do: 'meet', folder: this.folder };
  }

  /** Waits until the item is at work. */
  async begun(): Promise<void> {
    while (existsSync(this.folder) && !existsSync(path.join(this.folder, 'begun')))
      await setTimeout(5);
  }

  /** Lets the item end. */
  go(): void {
    writeFileSync(path.join(this.folder, 'go'), '');
  }

  /** Ends an item that nobody stopped, too. */
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
