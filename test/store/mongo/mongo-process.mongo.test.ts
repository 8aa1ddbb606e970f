import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { describeMongo, MONGODB_URI, uniqueDatabase } from './server.js';

const run = promisify(execFile);
const INDEX = JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href);

/** Runs a program of its own; it must end by itself. */
async function program(source: string, ...args: string[]): Promise<string> {
  const parameters = [...args, '--input-type=module', '-e', source];
  const { stdout } = await run(process.execPath, parameters, { timeout: 60_000 });
  return stdout;
}

/** Prints what is imported, by `import` and `import()`, as it happens. */
const WATCH = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  const hooks = \`
    import { writeSync } from 'node:fs';
    export function resolve(specifier, context, next) {
      writeSync(1, 'import ' + specifier + '\\\\n');
      return next(specifier, context);
    }\`;
  register('data:text/javascript,' + encodeURIComponent(hooks));
`)}`;

test('the driver is loaded by connect(), not by the package or a constructor', async () => {
  const output = await program(
    `
    import { createRequire } from 'node:module';
    import { writeSync } from 'node:fs';
    const loaded = () => Object.keys(createRequire(${INDEX}).cache)
      .filter((file) => /[\\\\/]node_modules[\\\\/]mongodb[\\\\/]/.test(file)).length;
    const { MongoStore, MongoURIStore } = await import(${INDEX});
    new MongoURIStore('mongodb://h/db', 'c').query({ a: 1 });
    const store = new MongoStore('db', 'c', {
      host: '127.0.0.1', port: 1, mongoclientKwargs: { serverSelectionTimeoutMS: 50 },
    });
    writeSync(1, 'constructed ' + loaded() + '\\n');
    const { code } = await store.connect().then(() => ({}), (error) => error);
    writeSync(1, code + ' ' + (loaded() > 0) + '\\n');
    `,
    '--import',
    WATCH,
  );
  const [before = '', after = ''] = output.split('constructed');
  expect(before).toMatch(/^import .*index\.js$/m);
  expect(before).toMatch(/^import bson$/m);
  expect(before).not.toMatch(/^import mongodb$/m);
  expect(after).toMatch(/^ 0\n/);
  expect(after).toMatch(/^import mongodb$/m);
  expect(after).toMatch(/^STORE_CONNECTION true$/m);
});

describe('a process ends by itself', () => {
  test('after a failed connection', async () => {
    const output = await program(`
      const { MongoStore } = await import(${INDEX});
      const store = new MongoStore('db', 'c', {
        host: '127.0.0.1', port: 1, mongoclientKwargs: { serverSelectionTimeoutMS: 50 },
      });
      await store.connect().catch((error) => console.log(error.code));
    `);
    expect(output).toBe('STORE_CONNECTION\n');
  });
});

describeMongo('a process with a server ends by itself', () => {
  const database = uniqueDatabase();

  test('after its stores were closed, also in the middle of a query', async () => {
    const output = await program(`
      const { MongoURIStore } = await import(${INDEX});
      const store = new MongoURIStore(${JSON.stringify(MONGODB_URI)}, 'c', { database: '${database}' });
      await store.connect();
      await store.update(Array.from({ length: 3000 }, (_, i) => ({ task_id: i })));
      const batches = store.query().batches(10)[Symbol.asyncIterator]();
      console.log((await batches.next()).value.length);
      await store.connect({ forceReset: true });
      console.log(await store.count());
      await store.close();
    `);
    expect(output).toBe('10\n3000\n');
  });
});
