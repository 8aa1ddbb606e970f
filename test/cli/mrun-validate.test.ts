import { createServer } from 'node:net';
import { describe, expect } from 'vitest';
import { validateFiles } from '../../src/cli/validate.js';
import { countingBuilder, MEMORY, test } from './mrun-process.js';

const store = (name: string, options: object) => ({
  '@module': 'maggma.stores.mongolike',
  '@class': name,
  '@version': null,
  ...options,
});

describe('mrun validate', { concurrent: true }, () => {
  test('says of each builder and store that it is valid, and reaches nothing', async ({
    project,
  }) => {
    project.write('b.json', countingBuilder());
    project.write('bs.json', [countingBuilder(), countingBuilder({}, 'other.json')]);
    project.write('r.yaml', "'@module': maggma.stores.mongolike\n'@class': MemoryStore\n");
    project.write(
      'm.json',
      store('MongoStore', { database: 'd', collection_name: 'c', host: 'nowhere.invalid' }),
    );
    expect(await project.run('validate', 'b.json', 'bs.json', 'r.yaml', 'm.json')).toEqual({
      code: 0,
      stdout: [
        'b.json: CountingBuilder is valid',
        'bs.json: CountingBuilder is valid',
        'bs.json: CountingBuilder is valid',
        'r.yaml: MemoryStore is valid',
        'm.json: MongoStore is valid',
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(project.exists('target.json')).toBe(false);
  });

  test('goes on after a mistake', async ({ project }) => {
    project.write('bad.json', '{"a": 1,}');
    project.write('class.json', { ...countingBuilder(), '@class': 'NoBuilder' });
    project.write(
      'option.json',
      countingBuilder({ source: { ...MEMORY, last_updated_type: 'x' } }),
    );
    project.write('b.json', countingBuilder());
    const files = ['bad.json', 'class.json', 'option.json', 'gone.json', 'b.json'];
    const { code, stdout, stderr } = await project.run('validate', ...files);
    expect({ code, stdout }).toEqual({ code: 2, stdout: 'b.json: CountingBuilder is valid\n' });
    expect(stderr).toMatch(
      /^mrun: bad\.json: .*not valid JSON.*\nmrun: class\.json: Unknown class "NoBuilder".*\nmrun: option\.json: .*`lastUpdatedType`.*\nmrun: gone\.json: there is no such file\n$/,
    );
  });

  test('refuses what is neither a builder nor a store', async ({ project }) => {
    project.write('n.json', [MEMORY, { a: 1 }]);
    expect(await project.run('validate', 'n.json')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'mrun: n.json: expected a builder, a store or a list of them, it holds at [1] an object with a\n',
    });
  });

  test('refuses a reference to a secret that names nothing', async ({ project }) => {
    const mongo = { database: 'd', collection_name: 'c', username: 'me' };
    project.write('m.json', store('MongoStore', { ...mongo, password: '$env:' }));
    expect(await project.run('validate', 'm.json')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'mrun: m.json: "$env:" names nothing: write $env:NAME or $file:path\n',
    });
    project.write('m.json', store('MongoStore', { ...mongo, password: '$env:NOT_SET' }));
    expect(await project.run('validate', 'm.json')).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await project.run('validate', '--connect', 'm.json');
    expect(code).toBe(1);
    expect(stderr).toMatch(/NOT_SET is not set/);
  });

  test('needs files, or those of the config file', async ({ project }) => {
    expect(await project.run('validate')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'mrun: no files given (usage: mrun validate FILES...)\n',
    });
    project.write('b.json', countingBuilder());
    project.write('mrun.config.json', { builders: ['b.json'] });
    expect(await project.run('validate')).toMatchObject({ code: 0, stderr: '' });
  });

  test('connects to each store once when it is told to', async ({ project }) => {
    project.write('source.json', []);
    const source = store('JSONStore', { paths: 'source.json' });
    project.write('bs.json', [
      countingBuilder({ source }),
      countingBuilder({ source }, 'other.json'),
    ]);
    const { code, stdout, stderr } = await project.run('validate', '--connect', 'bs.json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^.*source\.json: it answers$/gm)).toHaveLength(1);
    expect(stdout.match(/: it answers$/gm)).toHaveLength(3);
    const copy = { '@module': 'maggma.builders.map_builder', '@class': 'CopyBuilder' };
    project.write('c.json', { ...copy, source, target: MEMORY });
    const other = await project.run('validate', '--connect', 'c.json');
    expect(other.stdout).toMatch(
      /^c\.json: CopyBuilder is valid\n.*: it answers\n.*: it answers\n$/,
    );
  });

  test('says which stores cannot be reached, with code 1', async ({ project }) => {
    const source = store('JSONStore', { paths: 'gone/source.json' });
    project.write('b.json', countingBuilder({ source }));
    const { code, stdout, stderr } = await project.run('validate', '--connect', 'b.json');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^b\.json: CountingBuilder is valid\n.*target\.json: it answers\n$/);
    expect(stderr).toMatch(/^mrun: Cannot connect .*source\.json.*\n$/);
  });
});

test('a server that accepts and never answers does not hold it up', async ({ project }) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const mongo = store('MongoStore', {
    database: 'd',
    collection_name: 'c',
    host: '127.0.0.1',
    port,
  });
  project.write('m.json', mongo);
  const said: unknown[] = [];
  const output = {
    columns: undefined,
    write: async () => {},
    note: () => {},
    misuse: () => {},
    fail: (error: unknown) => void said.push(error),
  };
  const files = [`${project.folder}/m.json`];
  try {
    expect(await validateFiles({ files, connect: true, timeoutMs: 200 }, output)).toBe(1);
  } finally {
    silent.close();
  }
  expect(said).toEqual([
    expect.objectContaining({ message: expect.stringMatching(/did not answer within 0\.2 s$/) }),
  ]);
});
