// Bundles what the compiler made into what is published. A process that uses the package reads a few files then, in
// place of some hundreds, and starts in half of the time. Dependencies stay outside: users share them with us.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'rolldown';

/** What others import, run or start as workers. */
const ENTRIES = [
  'index',
  'testing/index',
  'cli/mrun',
  'processor/multiprocess/worker-entry',
  'processor/multiprocess/process-supervisor',
  'processor/distributed/chunk-child',
  'processor/distributed/parent-watch',
];

const isOurs = /[\\/]build[\\/].*\.js$/;

/** Leads from the bundle to the sources, not to what was compiled of them. */
const mapsOfCompiler = {
  name: 'maps-of-compiler',
  load: {
    filter: { id: isOurs },
    handler: (file) => ({
      code: readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''),
      map: JSON.parse(readFileSync(`${file}.map`, 'utf8')),
    }),
  },
};

rmSync('dist/chunks', { recursive: true, force: true });
await build({
  input: Object.fromEntries(ENTRIES.map((name) => [name, `./build/${name}.js`])),
  external: /^[^./]/,
  platform: 'node',
  plugins: [mapsOfCompiler],
  output: {
    dir: 'dist',
    format: 'esm',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
  },
});
chmodSync('dist/cli/mrun.js', 0o755);
