import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Doc, FailureRecord } from '../../src/index.js';
import { Builder, JSONStore, MapBuilder, MemoryStore } from '../../src/index.js';

class PickyBuilder extends MapBuilder {
  unaryFunction({ n }: Doc) {
    if (n < 0) throw new RangeError(`${n} is negative`);
    return { n };
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'failures-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const storeOf = (name: string, options = {}) =>
  new JSONStore(path.join(folder, name), { key: 'k', readOnly: false, ...options });

async function fill(store: JSONStore, docs: readonly Doc[]): Promise<void> {
  await store.connect();
  await store.update(docs.map((doc) => ({ ...doc, last_updated: new Date(0) })));
  await store.close();
}

async function failuresOf(builder: PickyBuilder): Promise<FailureRecord[]> {
  const found: FailureRecord[] = [];
  for await (const failure of builder.failures()) found.push(failure);
  return found;
}

describe('builder.failures()', () => {
  test.each([null, '_ours'])('finds what failed (metaField: %s)', async (metaField) => {
    const source = storeOf('source.json');
    await fill(source, [
      { k: 1, n: 1 },
      { k: 2, n: -2 },
    ]);
    const target = storeOf('target.json');
    await new PickyBuilder(source, target, { metaField }).run();
    // Not ours: a document of somebody else that has such a field.
    await fill(target, [{ k: 9, state: 'failed' }]);
    const [failure, ...others] = await failuresOf(new PickyBuilder(source, target, { metaField }));
    expect(others).toEqual([]);
    expect(failure).toEqual({ key: 2, error: '-2 is negative', last: expect.any(Date) });
  });

  test('opens nothing but the target, and closes what it opened', async () => {
    const source = storeOf('nowhere/source.json', { readOnly: true });
    const target = storeOf('target.json');
    const builder = new PickyBuilder(source, target);
    expect(await failuresOf(builder)).toEqual([]);
    expect(target.connected).toBe(false);
    await target.connect();
    expect(await failuresOf(builder)).toEqual([]);
    expect(target.connected).toBe(true);
    await target.close();
  });

  test('is null for a builder that keeps no record', () => {
    class PlainBuilder extends Builder {
      getItems() {
        return [];
      }
      async updateTargets() {}
    }
    expect(new PlainBuilder(new MemoryStore(), new MemoryStore()).failures()).toBeNull();
  });
});
