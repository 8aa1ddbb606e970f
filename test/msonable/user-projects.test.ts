import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserProjects } from './user-projects.js';

let projects: UserProjects;
beforeAll(() => {
  projects = new UserProjects();
});
afterAll(() => projects.remove());

const IMPORTS = `import { arg, dumpfn, isMain, MSONable, option } from 'maggma';\n`;

const scaleClass = (name = 'Scale'): string => `
abstract class Base {
  @option() readonly offset: number;
  @option({ name: 'label' }) get title(): string { return 'fixed'; }
  constructor({ offset = 0 }: { offset?: number; title?: string } = {}) {
    this.offset = offset;
  }
}
@MSONable(import.meta.url)
export class ${name} extends Base {
  @arg() readonly source: string;
  @option() readonly scaleFactor: number;
  constructor(source: string, options: { scaleFactor?: number; offset?: number } = {}) {
    super(options);
    this.source = source;
    this.scaleFactor = options.scaleFactor ?? 2;
  }
  scale(x: number): number {
    return this.scaleFactor * x;
  }
}
`;

const compiledClass = (name = 'Scale'): string => `
export const ${name} = MSONable(import.meta.url, { args: ['source'], options: ['scaleFactor', 'offset', 'label'] })(class ${name} {
  constructor(source, { scaleFactor = 2 } = {}) { this.source = source; this.scaleFactor = scaleFactor; }
  scale(x) { return this.scaleFactor * x; }
});
`;

const dumpTo = (file: string): string =>
  `if (isMain(import.meta.url)) dumpfn(new Scale('s', { scaleFactor: 5 }), '${file}');\n`;

const moduleOf = (file: string): unknown => {
  const dict = JSON.parse(readFileSync(projects.path(file), 'utf8')) as Record<string, unknown>;
  expect(dict).toMatchObject({ '@class': 'Scale', source: 's', scale_factor: 5 });
  return dict['@module'];
};

describe('a folder of scripts', () => {
  test.each([
    ['legacy', true],
    ['standard', false],
  ])(
    'TypeScript with %s decorators, loaded elsewhere and after a move',
    (kind, experimentalDecorators) => {
      const folder = `scripts ${kind}`;
      projects.write({
        [`${folder}/package.json`]: '{"type": "module"}',
        [`${folder}/tsconfig.json`]: JSON.stringify({
          compilerOptions: { experimentalDecorators },
        }),
        [`${folder}/my scale#1.ts`]: IMPORTS + scaleClass() + dumpTo('out.json'),
      });
      projects.addTsx(folder);
      projects.tsx(`${folder}/my scale#1.ts`);
      expect(moduleOf(`${folder}/out.json`)).toBe('./my scale#1.ts');
      const loaded = projects.load(projects.path(`${folder}/out.json`), '/');
      expect(loaded).toMatchObject({ name: 'Scale', scaled: 10 });

      cpSync(projects.path(folder), projects.path(`moved ${kind}`), { recursive: true });
      rmSync(projects.path(folder), { recursive: true });
      expect(projects.load(projects.path(`moved ${kind}/out.json`), '/')).toMatchObject({
        scaled: 10,
      });
    },
  );

  test('plain JavaScript; the written file lies in another folder', () => {
    projects.write({
      'js/lib/scale.mjs': IMPORTS + compiledClass(),
      'js/run.mjs': `import { dumpfn } from 'maggma';\nimport { Scale } from './lib/scale.mjs';\n
dumpfn([new Scale('s', { scaleFactor: 5 })], 'js/out.yaml');\n`,
    });
    projects.node('js/run.mjs');
    expect(readFileSync(projects.path('js/out.yaml'), 'utf8')).toBe(
      "- '@module': ./lib/scale.mjs\n  '@class': Scale\n  '@version':\n  source: s\n  scale_factor: 5\n  offset:\n  label:\n",
    );
    expect(
      JSON.parse(projects.node('load.mjs', [projects.path('js/out.yaml')], '/')).text,
    ).toContain('file:///');
  });

  test('a script that is imported does not run as the main one, also through a link', () => {
    projects.write({
      'main/one.mjs': `import { isMain } from 'maggma';\nconsole.log(isMain(import.meta.url));\n`,
      'main/two.mjs': `import './one.mjs';\n`,
      'main/three.mjs': `import { Worker } from 'node:worker_threads';\nnew Worker(new URL('./one.mjs', import.meta.url));\n`,
    });
    symlinkSync(projects.path('main/one.mjs'), projects.path('main/link.mjs'));
    expect(projects.node('main/one.mjs')).toBe('true');
    expect(projects.node('main/link.mjs')).toBe('true');
    expect(projects.node('main/two.mjs')).toBe('false');
    expect(projects.node('main/three.mjs')).toBe('false');
  });

  test('TypeScript without tsx says how to install it', () => {
    projects.write({
      'bare/scale.ts': IMPORTS + scaleClass(),
      'bare/out.json': '{"@module": "./scale.ts", "@class": "Scale", "source": "s"}',
    });
    expect(() => projects.load(projects.path('bare/out.json'))).toThrow(
      /MissingDependencyError: .*bare\/scale\.ts, which is TypeScript \(run `npm install -D tsx`/,
    );
  });

  test('a module that fails says so, with the place of the class', () => {
    projects.write({
      'broken/scale.mjs': 'throw new Error("no such setting");',
      'broken/empty.mjs': 'export class Scale {}',
      'broken/a.json': '{"x": {"@module": "./scale.mjs", "@class": "Scale"}}',
      'broken/b.json': '{"x": {"@module": "./empty.mjs", "@class": "Scale"}}',
      'broken/c.json': '{"x": {"@module": "./gone.mjs", "@class": "Scale"}}',
    });
    const load = (file: string) => () => projects.load(projects.path(`broken/${file}.json`));
    expect(load('a')).toThrow(
      /Importing file:.*scale\.mjs for the class "Scale" failed: no such setting \(at \$\.x\)/,
    );
    expect(load('b')).toThrow(
      /empty\.mjs was imported but exports no MSONable "Scale": export it, and decorate it/,
    );
    expect(load('c')).toThrow(/there is no module "\.\/gone\.mjs" to import, seen from .*broken/);
  });
});

describe('a package', () => {
  const manifest = (more: object): string =>
    JSON.stringify({ name: '@lab/scales', version: '2.3.4', type: 'module', ...more });

  test('with exports: run from its sources, then from the compiled code', () => {
    projects.write({
      'pkg/package.json': manifest({
        exports: {
          '.': './dist/index.js',
          './*': { types: './dist/*.d.ts', default: './dist/*.js' },
        },
      }),
      'pkg/tsconfig.json': JSON.stringify({ compilerOptions: { experimentalDecorators: true } }),
      'pkg/src/scale.ts': IMPORTS + scaleClass() + dumpTo('from-src.json'),
      'pkg/dist/index.js': 'export {};',
      'pkg/dist/scale.js': IMPORTS + compiledClass() + dumpTo('pkg/from-dist.json'),
    });
    projects.addTsx('pkg');
    projects.tsx('pkg/src/scale.ts', projects.path('pkg'));
    expect(moduleOf('pkg/from-src.json')).toBe('@lab/scales/src/scale.ts');
    const fromSource = projects.load(projects.path('pkg/from-src.json'), '/');
    expect(fromSource).toMatchObject({ scaled: 10 });
    expect(JSON.parse(fromSource.text)).toMatchObject({ '@version': '2.3.4' });

    projects.node('pkg/dist/scale.js');
    expect(moduleOf('pkg/from-dist.json')).toBe('@lab/scales/scale');
    expect(projects.load(projects.path('pkg/from-dist.json'), '/')).toMatchObject({ scaled: 10 });

    // Where only the compiled code is installed, a dump made from the sources is found there.
    rmSync(projects.path('pkg/src'), { recursive: true });
    expect(projects.load(projects.path('pkg/from-src.json'), '/')).toMatchObject({ scaled: 10 });
  });

  test('sources without tsx are passed over for the compiled code', () => {
    projects.write({
      'pkg2/package.json': manifest({ exports: './lib/main.js' }),
      'pkg2/src/inner/scale.ts': IMPORTS + scaleClass(),
      'pkg2/lib/main.js': IMPORTS + compiledClass(),
      'pkg2/out.json':
        '{"@module": "@lab/scales/src/inner/scale.ts", "@class": "Scale", "source": "s"}',
    });
    expect(projects.load(projects.path('pkg2/out.json'), '/')).toMatchObject({ scaled: 4 });
  });

  test('with main only, which cannot import itself by its name', () => {
    projects.write({
      'pkg3/package.json': manifest({ main: 'index.js' }),
      'pkg3/index.js': IMPORTS + compiledClass() + dumpTo('pkg3/main.json'),
      'pkg3/inner.js': IMPORTS + compiledClass() + dumpTo('pkg3/inner.json'),
    });
    projects.node('pkg3/index.js');
    projects.node('pkg3/inner.js');
    expect(moduleOf('pkg3/main.json')).toBe('@lab/scales');
    expect(moduleOf('pkg3/inner.json')).toBe('@lab/scales/inner.js');
    expect(projects.load(projects.path('pkg3/main.json'), '/')).toMatchObject({ scaled: 10 });
    expect(projects.load(projects.path('pkg3/inner.json'), '/')).toMatchObject({ scaled: 10 });
  });

  test('installed, seen from the current folder', () => {
    projects.write({
      'app/node_modules/scales/package.json':
        '{"name": "scales", "version": "1.0.0", "type": "module", "exports": {"./s": "./s.js"}}',
      'app/node_modules/scales/s.js': IMPORTS + compiledClass(),
      'elsewhere/out.json': '{"@module": "scales/s", "@class": "Scale", "source": "s"}',
    });
    const file = projects.path('elsewhere/out.json');
    expect(projects.load(file, projects.path('app'))).toMatchObject({ scaled: 4 });
    expect(() => projects.load(file, '/')).toThrow(
      /there is no module "scales\/s" to import, seen from .*elsewhere/,
    );
  });

  test('with neither exports nor main is a folder of scripts that has a version', () => {
    projects.write({
      'pkg4/package.json': manifest({}),
      'pkg4/scale.js': IMPORTS + compiledClass() + dumpTo('pkg4/out.json'),
    });
    projects.node('pkg4/scale.js');
    expect(moduleOf('pkg4/out.json')).toBe('./scale.js');
    expect(JSON.parse(projects.load(projects.path('pkg4/out.json'), '/').text)).toMatchObject({
      '@version': '2.3.4',
    });
  });
});

test('options: allow is asked, imports come first, base replaces the file', () => {
  projects.write({
    'options/scale.mjs': `globalThis.order = [...(globalThis.order ?? []), 'scale'];\n${IMPORTS}${compiledClass()}`,
    'options/first.mjs': `globalThis.order = ['first'];\n`,
    'options/data/out.json': '{"@module": "./scale.mjs", "@class": "Scale", "source": "s"}',
    'options/run.mjs': `
import { loadfn } from 'maggma';
const file = new URL('./data/out.json', import.meta.url).pathname;
const asked = [];
const refuse = { base: import.meta.url, allow: (module) => { asked.push(module); return false; } };
const error = await loadfn(file, refuse).catch((caught) => caught);
const scale = await loadfn(file, { base: import.meta.url, imports: ['./first.mjs'] });
const gone = await loadfn(file, { base: import.meta.url, imports: ['./gone.mjs'] }).catch((caught) => caught);
console.log(JSON.stringify({ asked, code: error.code, message: error.message, order: globalThis.order, x: scale.scale(1), gone: gone.message }));
`,
  });
  expect(JSON.parse(projects.node('options/run.mjs', [], '/'))).toEqual({
    asked: ['./scale.mjs'],
    code: 'UNKNOWN_CLASS',
    message: expect.stringMatching(/importing "\.\/scale\.mjs" is not allowed here/),
    order: ['first', 'scale'],
    x: 2,
    gone: expect.stringMatching(/Cannot find the module "\.\/gone\.mjs" of `imports`/),
  });
});

test.each(['America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'UTC'])('dates in %s', (zone) => {
  projects.write({
    'dates/run.mjs': `
process.env.TZ = process.argv[2];
const { dumps, loads } = await import('maggma');
let wrong = 0;
for (let i = 0; i < 3000; i++) {
  const date = new Date(-62135596800000 + Math.floor(Math.random() * 315537897600000));
  const text = dumps(date);
  const back = await loads(text);
  if (back.getTime() !== date.getTime()) wrong++;
}
const fixed = dumps(new Date('2021-03-14T02:30:00.250Z'));
console.log(JSON.stringify({ wrong, fixed, offset: new Date(0).getTimezoneOffset() }));
`,
  });
  const { wrong, fixed, offset } = JSON.parse(projects.node('dates/run.mjs', [zone]));
  expect(wrong).toBe(0);
  expect(fixed).toContain('"2021-03-14 02:30:00.250000"');
  expect(offset === 0).toBe(zone === 'UTC');
});
