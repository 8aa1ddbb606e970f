import { describe, expect, test } from 'vitest';
import { CopyBuilder } from '../../../src/builder/copy-builder.js';
import { DeserializationError } from '../../../src/errors/serialization-errors.js';
import { asDict, dumpfn, dumps } from '../../../src/msonable/dump.js';
import { fromDict, loadfn, loads } from '../../../src/msonable/load.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { AliasingStore } from '../../../src/store/wrap/aliasing-store.js';
import { ConcatStore } from '../../../src/store/wrap/concat-store.js';
import { SandboxStore } from '../../../src/store/wrap/sandbox-store.js';
import '../../msonable/golden-classes.js';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonical, golden, goldenBytes } from '../../msonable/golden-data.js';

/** The member of an enum is written as its value, which Python takes as well. */
const withoutEnum = (text: string): string =>
  text.replace(/\{"value": ("\w+"), "@module": "maggma.core.store"[^}]*\}/g, '$1');

describe('files of Python', () => {
  test.each([
    ['stores/concat.json', ConcatStore],
    ['stores/aliasing.json', AliasingStore],
    ['stores/aliasing_isoformat.json', AliasingStore],
    ['stores/sandbox.json', SandboxStore],
    ['builders/builder_over_concat_alias.json', CopyBuilder],
  ] as const)('%s is read and written again as it was', async (name, cls) => {
    const text = goldenBytes(name).toString();
    const object = await loads<object>(text);
    expect(object).toBeInstanceOf(cls);
    expect(canonical(dumps(object))).toBe(canonical(withoutEnum(text)));
    expect(asDict(await fromDict<object>(asDict(object)))).toEqual(asDict(object));
  });

  test.each(['concat', 'aliasing'])('%s.yaml is what the JSON file is', async (name) => {
    const file = new URL(`../../golden/stores/${name}.yaml`, import.meta.url).pathname;
    const store = await loadfn<object>(file);
    expect(asDict(store)).toEqual(
      asDict(await loads<object>(goldenBytes(`stores/${name}.json`).toString())),
    );
    const folder = mkdtempSync(path.join(tmpdir(), 'maggma-wrap-'));
    dumpfn(store, path.join(folder, 'again.yaml'));
    const again = readFileSync(path.join(folder, 'again.yaml'), 'utf8');
    rmSync(folder, { recursive: true });
    const expected = readFileSync(file, 'utf8').replace(
      /last_updated_type:\n {2}value: (\w+)\n(?: {2}.*\n)*/,
      'last_updated_type: $1\n',
    );
    expect(again).toBe(expected);
  });

  test('what the files say is in the stores', async () => {
    const read = <T>(name: string) => loads<T>(goldenBytes(`stores/${name}.json`).toString());
    const concat = await read<ConcatStore>('concat');
    expect(concat.key).toBe('k');
    expect(concat.stores.map((store) => store.constructor.name)).toEqual([
      'MemoryStore',
      'MongoStore',
    ]);
    expect(await read<AliasingStore>('aliasing')).toMatchObject({
      aliases: { external: 'internal' },
      key: 'k',
      lastUpdatedType: 'datetime',
    });
    expect(await read<AliasingStore>('aliasing_isoformat')).toMatchObject({
      lastUpdatedType: 'isoformat',
    });
    const sandbox = await read<SandboxStore>('sandbox');
    expect(sandbox).toMatchObject({ sandbox: 'sbx', exclusive: true, key: 'k' });
  });
});

interface Signature {
  readonly '@class': string;
  readonly arguments_in_json_order: readonly { readonly name: string }[];
}

test.each([
  [new ConcatStore([new MemoryStore()]), []],
  [new AliasingStore(new MemoryStore(), {}), ['last_updated_field', 'last_updated_type']],
  [new SandboxStore(new MemoryStore(), 's'), []],
] as const)('%# has the arguments of Python in their order', (store, always) => {
  const name = store.constructor.name;
  const signature = golden<Signature[]>('signatures.json').find((one) => one['@class'] === name);
  const names = signature?.arguments_in_json_order.map((one) => one.name) ?? [];
  expect(names.length).toBeGreaterThan(0);
  expect(Object.keys(asDict(store))).toEqual([
    '@module',
    '@class',
    '@version',
    ...names,
    ...always,
  ]);
});

test('names inside aliases stay as they are, and inherited options are not written', async () => {
  const inner = new MemoryStore({ key: 'innerKey', validator: null });
  const store = new AliasingStore(inner, { taskId: 'innerKey', 'outPut.x': 'Y' });
  const dict = asDict(store);
  expect(dict['aliases']).toEqual({ taskId: 'innerKey', 'outPut.x': 'Y' });
  expect(Object.keys(dict)).not.toContain('key');
  expect((await fromDict<AliasingStore>(dict)).key).toBe('taskId');
  expect(Object.keys(asDict(new ConcatStore([inner])))).not.toContain('key');
  expect((await fromDict<ConcatStore>(asDict(new ConcatStore([inner])))).key).toBe('innerKey');
});

test.each(['key', 'last_updated_field', 'last_updated_type', 'validator'])(
  'a sandbox takes no %s',
  async (name) => {
    const dict = { ...asDict(new SandboxStore(new MemoryStore(), 's')), [name]: null };
    await expect(fromDict(dict)).rejects.toThrow(DeserializationError);
    await expect(fromDict(dict)).rejects.toThrow(name);
  },
);

test('a module that only re-exports the classes is understood', async () => {
  for (const store of [
    new ConcatStore([new MemoryStore()]),
    new SandboxStore(new MemoryStore(), 's'),
  ])
    expect(await fromDict({ ...asDict(store), '@module': 'maggma.stores' })).toBeInstanceOf(
      store.constructor,
    );
});
