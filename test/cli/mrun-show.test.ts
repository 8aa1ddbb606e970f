import { describe, expect } from 'vitest';
import { countingBuilder, MEMORY, test } from './mrun-process.js';

const json = (file: string, options: object = {}) => ({
  '@module': 'maggma.stores.mongolike',
  '@class': 'JSONStore',
  '@version': '0.74.0',
  paths: file,
  ...options,
});
const copy = (source: object, target: object, options: object = {}) => ({
  '@module': 'maggma.builders.map_builder',
  '@class': 'CopyBuilder',
  '@version': null,
  source,
  target,
  ...options,
});

describe('mrun show', { concurrent: true }, () => {
  test('shows builders, stores and options, and reaches nothing', async ({ project }) => {
    const middle = json('middle.json', { read_only: false });
    project.write('first.json', copy(json('in.json', { key: 'k' }), middle, { query: { a: 1 } }));
    project.write('second.json', copy(middle, json('out.json', { read_only: false })));
    const { code, stdout, stderr } = await project.run('show', '-v', 'first.json', 'second.json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const options =
      'delete_orphans: false, timeout: 0, store_process_time: true, retry_failed: false';
    expect(stdout.split('\n').slice(0, 13).join('\n')).toBe(`\
1.      CopyBuilder of first.json     query: {a: 1}, ${options}
class   maggma.builders.map_builder   version 0.74.0
source  JSONStore json://in.json      paths: ["in.json"], read_only: true, key: "k"
target  JSONStore json://middle.json  paths: ["middle.json"], read_only: false

2.      CopyBuilder of second.json    ${options}
class   maggma.builders.map_builder   version 0.74.0
source  JSONStore json://middle.json  paths: ["middle.json"], read_only: false
target  JSONStore json://out.json     paths: ["out.json"], read_only: false
reads   the targets of 1.

Items are processed by a SerialProcessor, with these options:
`);
    expect(stdout).toMatch(
      /^option +value +from\nverbose +1 +command line\nnumWorkers +1 +default$/m,
    );
    expect(project.exists('middle.json')).toBe(false);
  });

  test('shows the same to programs', async ({ project }) => {
    project.write('first.json', copy(json('in.json', { key: 'k' }), json('mid.json')));
    project.write('second.json', [copy(json('mid.json'), json('out.json')), countingBuilder()]);
    const { stdout } = await project.run('show', '--json', '-n', '2', 'first.json', 'second.json');
    const { builders, ...others } = JSON.parse(stdout);
    expect(builders).toMatchObject([
      { file: 'first.json', class: 'CopyBuilder', version: '0.74.0', reads: [] },
      { file: 'second.json', module: 'maggma.builders.map_builder', reads: [1] },
      { file: 'second.json', class: 'CountingBuilder', version: null, options: { items: 10 } },
    ]);
    expect(builders[0].sources).toEqual([
      {
        class: 'JSONStore',
        module: 'maggma.stores.mongolike',
        version: '0.74.0',
        options: { paths: ['in.json'], read_only: true, key: 'k' },
        name: 'json://in.json',
      },
    ]);
    expect(builders[0].options).not.toHaveProperty('source');
    expect(others).toMatchObject({
      ...{ role: 'local', engine: null, processor: 'MultiProcessor' },
      options: {
        numWorkers: { value: 2, origin: 'command line' },
        retries: { value: 0, origin: 'default' },
      },
    });
  });

  test('masks secrets', async ({ project }) => {
    const source = {
      '@module': 'maggma.stores.mongolike',
      '@class': 'MongoStore',
      '@version': null,
      database: 'd',
      collection_name: 'c',
      host: 'db.example',
      username: 'me',
      password: 'planted-secret',
    };
    const uri = {
      '@module': 'maggma.stores.mongolike',
      '@class': 'MongoURIStore',
      '@version': null,
      uri: 'mongodb://me:planted-secret@db.example/d',
      collection_name: 'c',
    };
    project.write('b.json', [copy(source, MEMORY), copy(uri, MEMORY)]);
    for (const args of [[], ['--json']]) {
      const { code, stdout, stderr } = await project.run('show', ...args, 'b.json');
      expect(code).toBe(0);
      expect(stdout).toContain('***');
      expect(stdout + stderr).not.toContain('planted-secret');
    }
  });

  test('shows a class that cannot be written as well as it can', async ({ project }) => {
    project.write(
      'b.mjs',
      `import { CopyBuilder, MemoryStore } from 'maggma';
      class Mine extends CopyBuilder {}
      export default new Mine(new MemoryStore({ collectionName: 'a' }), new MemoryStore());`,
    );
    const { code, stdout } = await project.run('show', 'b.mjs');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1\. +Mine of b\.mjs +\(its class is not MSONable\)$/m);
    const inWorkers = await project.run('show', '-n', '2', 'b.mjs');
    expect(inWorkers).toMatchObject({ code: 2, stdout: '' });
    expect(inWorkers.stderr).toMatch(/^mrun: Mine cannot run in workers: .*\n$/);
  });

  test('fits a narrow terminal', async ({ project }) => {
    project.write('b.json', countingBuilder());
    const { code, stdout } = await project.startInTerminal(40, 30, ['show', 'b.json']).finished;
    expect(code).toBe(0);
    const rows = stdout.split(/\r?\n/).filter((line) => !line.startsWith('Items are'));
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(40);
  });

  test('shows the manager and the workers of a distributed run', async ({ project }) => {
    project.write('b.json', countingBuilder());
    const url = 'tcp://me:planted-secret@127.0.0.1:7417';
    const manager = await project.run('show', '--json', '--url', url, '-N', '5', 'b.json');
    const engine = expect.stringMatching(/^tcp:\/\/.*@127\.0\.0\.1:7417$/);
    expect(JSON.parse(manager.stdout)).toMatchObject({
      ...{ role: 'manager', engine, processor: 'DistributedProcessor' },
      options: { numChunks: { value: 5 }, url: { value: engine } },
    });
    const allowed = ['--allow', 'a', '--allow', 'b'];
    const worker = await project.run('show', '-u', url, '-n', '3', ...allowed);
    expect(worker.stdout).toMatch(
      /^A DistributedWorker builds chunks for the manager at tcp:\S+@127\.0\.0\.1:7417, with/,
    );
    expect(worker.stdout).toMatch(/^allow +a,b +command line$/m);
    expect(manager.stdout + worker.stdout).not.toContain('planted-secret');
    expect(await project.run('show', '-u', 'amqp://h')).toMatchObject({ code: 2, stdout: '' });
    expect(await project.run('show', '-u', url, 'b.json')).toMatchObject({ code: 2, stdout: '' });
  });

  test('refuses what mrun would refuse', async ({ project }) => {
    expect(await project.run('show', 'gone.json')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'mrun: gone.json: there is no such file\n',
    });
  });
});
