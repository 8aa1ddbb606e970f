// Packs the package, installs the tarball in an empty project as a user would, and uses it there: from several
// versions of Node, in TypeScript and in JavaScript, in process and by `mrun`. Needs the npm registry.
//
//   node test/package/install-check.mjs [--node 22,24] [--keep]
//
// Its last line says how many checks passed; it exits with 1 when one failed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const installed = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
const { values } = parseArgs({
  options: {
    node: { type: 'string', default: '22,24' },
    keep: { type: 'boolean', default: false },
  },
});
const base = realpathSync(mkdtempSync(path.join(tmpdir(), 'maggma-install-')));
const project = path.join(base, 'project');
const elsewhere = path.join(base, 'elsewhere');
let passed = 0;
let failed = 0;

try {
  prepare();
  const own = { name: `Node ${process.versions.node}`, node: process.execPath };
  const others = values.node.split(',').filter(Boolean).map(installNode);
  // Once as somebody types it; after that by the binary of the Node that is meant.
  checkNpx();
  checkTypes();
  for (const version of [own, ...others]) {
    checkEntries(version);
    checkBuilders(version, 'ts');
    checkBuilders(version, 'mjs');
    checkInit(version);
  }
} finally {
  if (values.keep) console.log(`kept: ${base}`);
  else rmSync(base, { recursive: true, force: true });
}
console.log(`${passed} checks passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** An empty project with the tarball in it, and what a user of TypeScript has besides. */
function prepare() {
  mkdirSync(project);
  mkdirSync(elsewhere);
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', base], root).stdout.replace(/^[^[]*/, ''),
  );
  write('package.json', JSON.stringify({ name: 'user', private: true, type: 'module' }));
  const tools = ['tsx', 'typescript', '@types/node'].map(
    (name) => `${name}@${installed[`node_modules/${name}`].version}`,
  );
  run('npm', ['install', path.join(base, filename), ...tools], project);
  const example = (name) => readFileSync(path.join(root, 'examples', name), 'utf8');
  write('samples.json', example('samples.json'));
  write('multiply.ts', example('multiply.ts'));
  write('multiply.mjs', example('multiply.mjs'));
}

/** A version of Node: its binary, from npm. */
function installNode(version) {
  const folder = path.join(base, `node${version}`);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  run('npm', ['install', `node@${version}`], folder);
  const node = path.join(folder, 'node_modules/node/bin/node');
  const name = `Node ${run(node, ['-p', 'process.versions.node'], folder).stdout.trim()}`;
  check(`${name} is a version ${version}`, name.startsWith(`Node ${version}.`));
  return { name, node };
}

function checkNpx() {
  const { stdout } = run('npx', ['mrun', '--version'], project);
  check('npx mrun --version prints the version', stdout.trim() === manifest.version, stdout);
}

/** The example compiles in the user's project, with both kinds of decorators. */
function checkTypes() {
  for (const experimentalDecorators of [false, true]) {
    const config = {
      compilerOptions: {
        module: 'nodenext',
        target: 'es2022',
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        experimentalDecorators,
        types: ['node'],
      },
      files: ['multiply.ts'],
    };
    write('tsconfig.json', JSON.stringify(config));
    const { stdout, status } = run('npx', ['tsc', '-p', '.'], project, true);
    check(`types compile, experimentalDecorators ${experimentalDecorators}`, status === 0, stdout);
  }
  rmSync(path.join(project, 'tsconfig.json'));
}

function checkEntries({ name, node }) {
  for (const entry of Object.keys(manifest.exports)) {
    const specifier = JSON.stringify(path.posix.join(manifest.name, entry));
    const attributes = entry.endsWith('.json') ? `, { with: { type: 'json' } }` : '';
    const script = `console.log(Object.keys(await import(${specifier}${attributes})).length > 0)`;
    const { stdout } = run(node, ['--input-type=module', '-e', script], project);
    check(`${name} imports ${specifier}`, stdout.trim() === 'true', stdout);
  }
}

/** The builder of the example: run in process and dumped, then run by `mrun` from another folder. */
function checkBuilders({ name, node }, kind) {
  const suffix = kind === 'mjs' ? '-js' : '';
  const target = `multiplied${suffix}.json`;
  const dump = path.join(project, `builder${suffix}.json`);
  const mrun = path.join(project, 'node_modules/maggma/dist/cli/mrun.js');
  const tsx = path.join(project, 'node_modules/tsx/dist/cli.mjs');
  const command = kind === 'ts' ? [tsx, 'multiply.ts'] : ['multiply.mjs'];
  const title = (text) => `${name}, ${kind}: ${text}`;

  rmSync(path.join(project, target), { force: true });
  const inProcess = run(node, command, project);
  check(
    title('runs in process'),
    inProcess.stdout.includes('succeeded: 3 built'),
    inProcess.stdout,
  );
  const expected = [1, 2, 3].map((k) => ({ k, a: [6, 15, 21][k - 1], state: 'successful' }));
  check(title('builds the documents'), same(documents(target), expected), documents(target));

  const again = run(node, [mrun, '-v', dump], elsewhere);
  check(title('mrun builds nothing after it'), again.stderr.includes(' 0 succeeded'), again.stderr);

  rmSync(path.join(project, target));
  const fresh = run(node, [mrun, '-v', dump], elsewhere);
  check(
    title('mrun builds in a fresh process'),
    fresh.stderr.includes(' 3 succeeded'),
    fresh.stderr,
  );
  check(
    title('mrun builds the same documents'),
    same(documents(target), expected),
    documents(target),
  );
  const second = run(node, [mrun, '-v', dump], elsewhere);
  check(
    title('a second mrun builds nothing'),
    second.stderr.includes(' 0 succeeded'),
    second.stderr,
  );
}

/** The project of `mrun init` lies in the user's, and finds what is installed there. */
function checkInit({ name, node }) {
  const folder = path.join(project, `first-${name.replace(/\W/g, '-')}`);
  const bin = path.join(project, 'node_modules');
  const made = run(node, [path.join(bin, 'maggma/dist/cli/mrun.js'), 'init', folder], project);
  check(`${name}: mrun init makes a project`, made.stdout.includes('dump.ts'), made.stdout);
  const tested = run(node, ['--import', 'tsx', '--test', 'density-builder.test.ts'], folder, true);
  check(`${name}: the project's tests pass`, tested.status === 0, tested.stdout);
  run(node, [path.join(bin, 'tsx/dist/cli.mjs'), 'dump.ts'], folder);
  const built = run(
    node,
    [path.join(bin, 'maggma/dist/cli/mrun.js'), '-v', 'builder.json'],
    folder,
  );
  check(`${name}: the project builds`, built.stderr.includes(' 3 succeeded'), built.stderr);
}

/** What was built, without what differs from run to run. */
function documents(file) {
  const docs = JSON.parse(readFileSync(path.join(project, file), 'utf8'));
  return docs.map(({ k, a, state }) => ({ k, a, state }));
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

function write(file, content) {
  writeFileSync(path.join(project, file), content);
}

function check(title, ok, found) {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok' : 'FAILED'}   ${title}`);
  if (!ok && found !== undefined) console.log(`         found: ${JSON.stringify(found)}`);
}

/** Runs a command; one that fails ends the whole check, unless the caller wants to see for itself. */
function run(command, args, cwd, mayFail = false) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (result.error) throw result.error;
  if (result.status !== 0 && !mayFail)
    throw new Error(`${command} ${args.join(' ')} failed\n${result.stdout}\n${result.stderr}`);
  return result;
}
