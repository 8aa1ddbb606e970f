import { describe, expect } from 'vitest';
import { MEMORY, test } from '../cli/mrun-process.js';
import type { Planted } from './planted.js';
import { plant, secretsIn } from './planted.js';
import type { Command } from './planted-project.js';
import {
  dumpOf,
  inUri,
  jsonStore,
  mongoStore,
  mongoUriStore,
  mrun,
  prepare,
  quoting,
  quotingBuilder,
  search,
} from './planted-project.js';

const NOBODY = '127.0.0.1:1';

const text = {
  password: plant('Password'),
  uriPassword: plant('UriPassword'),
  uriParameter: plant('UriParameter'),
  driverOption: plant('DriverOption'),
  token: plant('Token'),
  wrapped: plant('Wrapped'),
  concatenated: plant('Concatenated'),
  unreachable: plant('Unreachable'),
  malformed: plant('Malformed'),
  picky: plant('Picky'),
  reporting: plant('Reporting'),
};
const referred = { variable: plant('Variable'), file: plant('File'), uri: plant('Uri') };
const ALL: readonly Planted[] = [...Object.values(text), ...Object.values(referred)];

const HELPERS = [
  quoting('TokenStore', { token: text.token.value }),
  quoting('TokenStore', { token: '$env:PLANTED_VARIABLE' }),
  mongoStore({ username: 'me', password: text.password.value }),
  mongoStore({
    username: 'me',
    password: '$env:PLANTED_VARIABLE',
    mongoclient_kwargs: { proxyPassword: text.driverOption.value },
  }),
  mongoUriStore(`mongodb://me:${inUri(text.uriPassword)}@h/d`),
  mongoUriStore(`mongodb://h/d?tlsCertificateKeyFilePassword=${inUri(text.uriParameter)}`),
  mongoUriStore('$file:planted-uri', { database: 'd' }),
  dumpOf(
    'AliasingStore',
    { store: mongoStore({ username: 'me', password: text.wrapped.value }), aliases: { a: 'b' } },
    'advanced_stores',
  ),
  dumpOf(
    'ConcatStore',
    { stores: [MEMORY, quoting('TokenStore', { token: text.concatenated.value })] },
    'compound_stores',
  ),
];
const SLOW = 'serverSelectionTimeoutMS=100';

/** Files of builders whose stores cannot be opened. */
const UNOPENED = 'unreachable.json angry.json referring.json missing.json';

const INPUTS: Readonly<Record<string, unknown>> = {
  'items.json': [0, 1, 2, 3].map((n) => ({ k: `item ${n}`, n })),
  'planted-key': `${referred.file.value}\n`,
  'planted-uri': `mongodb://me:${inUri(referred.uri)}@h/d\n`,
  'good.json': quotingBuilder(jsonStore('items.json'), jsonStore('target.json'), {
    helpers: HELPERS,
    api_key: '$file:planted-key',
  }),
  'unreachable.json': quotingBuilder(
    mongoUriStore(`mongodb://me:${inUri(text.unreachable)}@${NOBODY}/d?${SLOW}`),
    jsonStore('out.json'),
  ),
  'angry.json': quotingBuilder(
    quoting('TokenStore', { token: text.token.value, mood: 'angry' }),
    MEMORY,
  ),
  'referring.json': quotingBuilder(
    quoting('TokenStore', { token: '$env:PLANTED_VARIABLE', mood: 'angry' }),
    MEMORY,
  ),
  'missing.json': quotingBuilder(
    mongoStore({ username: 'me', password: '$env:NOT_SET' }),
    jsonStore('out.json'),
  ),
  'malformed.json': quotingBuilder(
    mongoUriStore(`mongodb://me:${text.malformed.value}@h/d`),
    jsonStore('out.json'),
  ),
  'picky.json': quotingBuilder(
    quoting('TokenStore', { token: text.picky.value, mood: 'picky' }),
    MEMORY,
  ),
  'report.json': mongoUriStore(`mongodb://me:${inUri(text.reporting)}@${NOBODY}/d?${SLOW}`),
  'report-file.json': jsonStore('reported.json', '_id'),
};

const VARIABLES = { PLANTED_VARIABLE: referred.variable.value };

const RUNS: Readonly<Record<string, readonly Command[]>> = {
  'a build whose items quote everything': [
    ['show good.json', 0],
    ['show --json good.json', 0],
    ['validate good.json report.json', 0],
    ['--plan good.json', 0],
    ['--plan --json good.json', 0],
    ['-vv good.json', 3],
    ['-vv --full-refresh --log-format json good.json', 3],
    ['-vv --full-refresh -n 2 good.json', 3],
    ['-r report-file.json -vv --full-refresh -n 2 --isolation process good.json', 3],
    ['--full-refresh --max-failures 0 good.json', 1],
    ['failures good.json', 0],
    ['failures --json good.json', 0],
    ['status report-file.json', 0],
    ['status --json --all report-file.json', 0],
    ['-r report.json -vv --full-refresh good.json', 3],
    ['status report.json', 1],
  ],
  'stores that cannot be opened': [
    [`-vv ${UNOPENED}`, 1],
    [`-r report-file.json -vv --log-format json -n 2 --isolation process ${UNOPENED}`, 1],
    [`--plan ${UNOPENED}`, 1],
    [`validate --connect ${UNOPENED}`, 1],
    ['status --json --all report-file.json', 0],
  ],
  'files that cannot be loaded': [
    ['-vv malformed.json', 2],
    ['-vv --log-format json picky.json', 2],
    ['show malformed.json', 2],
    ['show picky.json', 2],
    ['validate malformed.json picky.json', 2],
    ['-r malformed.json good.json', 2],
    ['-r picky.json good.json', 2],
  ],
};

describe('a planted secret', () => {
  test('is found where it is', () => {
    const dumps = Object.entries(INPUTS).filter(([name]) => name.endsWith('.json'));
    expect(secretsIn(JSON.stringify(dumps), ALL)).toEqual(
      Object.values(text).map(({ place }) => place),
    );
    for (const secret of ALL)
      for (const shown of [
        `password=${secret.value}.`,
        encodeURIComponent(secret.value),
        `${secret.core.slice(0, -3)}…`,
        ...['', 'a', 'ab'].map((before) => Buffer.from(before + secret.value).toString('base64')),
        Buffer.from(secret.value).toString('hex'),
      ])
        expect(secretsIn(shown, ALL)).toEqual([secret.place]);
  });

  test.for(Object.entries(RUNS))(
    'is in nothing that mrun prints or writes of %s',
    { timeout: 120_000 },
    async ([, commands], { project }) => {
      prepare(project, INPUTS, VARIABLES);
      expect(await search(project, commands, ALL)).toEqual({ leaks: [], surprises: [] });
    },
  );

  test('is masked where it was quoted', async ({ project }) => {
    prepare(project, INPUTS, VARIABLES);
    const { stdout, stderr } = await mrun(project, '-v -r report-file.json good.json');
    const quoted = /^not with \*\*\* and/;
    expect(project.read('target.json')).toContainEqual(
      expect.objectContaining({ state: 'failed', error: expect.stringMatching(quoted) }),
    );
    expect(project.count('reported.json')).toBeGreaterThanOrEqual(3);
    expect(stderr).toContain('INFO - with *** and');
    expect(stdout).toContain("apiKey: '$file:planted-key'");
    expect(stdout).toContain('"token":"***"');
  });
});
