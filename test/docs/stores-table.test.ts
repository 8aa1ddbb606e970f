import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Store, StoreCapabilities } from '../../src/index.js';
import {
  AliasingStore,
  ConcatStore,
  JSONStore,
  MemoryStore,
  MINIMAL_CAPABILITIES,
  MongoStore,
  MongoURIStore,
  SandboxStore,
  SQLiteStore,
} from '../../src/index.js';
import { sectionOf, tableRows } from './markdown.js';

/** A store to be wrapped that can do nothing. */
class MinimalStore extends MemoryStore {
  override get capabilities() {
    return MINIMAL_CAPABILITIES;
  }
}

const able = () => new SQLiteStore('x.db', 'x');
const unable = () => new MinimalStore();
/** One of each kind, and where it depends: one that can and one that cannot. */
const STORES: Readonly<Record<string, readonly Store[]>> = {
  MemoryStore: [new MemoryStore()],
  JSONStore: [new JSONStore('x.json'), new JSONStore('x.json', { readOnly: false })],
  SQLiteStore: [able()],
  MongoStore: [new MongoStore('x', 'x')],
  MongoURIStore: [new MongoURIStore('mongodb://x/x', 'x')],
  ConcatStore: [new ConcatStore([able(), able()]), new ConcatStore([able(), unable()])],
  AliasingStore: [new AliasingStore(able(), { a: 'b' }), new AliasingStore(unable(), { a: 'b' })],
  SandboxStore: [new SandboxStore(able(), 'x'), new SandboxStore(unable(), 'x')],
};

const page = readFileSync(new URL('../../docs/stores.md', import.meta.url), 'utf8');
const [heading = [], ...rows] = tableRows(sectionOf(page, '## What each store can do'));
const names = (cell: string): string[] => cell.match(/\w+Store\b/g) ?? [];

test('the table of stores has all of them', () => {
  expect(heading.flatMap(names).toSorted()).toEqual(Object.keys(STORES).toSorted());
});

test('the table of stores says of each what it can do', () => {
  const said: string[] = [];
  const found: string[] = [];
  for (const flag of Object.keys(MINIMAL_CAPABILITIES) as (keyof StoreCapabilities)[]) {
    const row = rows.find(([what]) => what?.includes(`\`${flag}\``)) ?? [];
    for (const [column, cell] of row.entries())
      for (const name of names(heading[column] ?? '')) {
        said.push(`${name} ${flag}: ${['yes', 'no'].includes(cell) ? cell : 'it depends'}`);
        const answers = STORES[name]?.map((store) => store.capabilities[flag]) ?? [];
        const answer = new Set(answers).size === 2 ? 'it depends' : answers[0] ? 'yes' : 'no';
        found.push(`${name} ${flag}: ${answer}`);
      }
  }
  expect(said).toHaveLength(Object.keys(STORES).length * Object.keys(MINIMAL_CAPABILITIES).length);
  expect(said).toEqual(found);
});
