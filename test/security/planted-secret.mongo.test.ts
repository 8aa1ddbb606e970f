import { inspect } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { BuildFailedError } from '../../src/builder/build-errors.js';
import type { BuildEvent } from '../../src/builder/build-events.js';
import { CopyBuilder } from '../../src/builder/copy-builder.js';
import { SerialProcessor } from '../../src/processor/serial/serial-processor.js';
import { MongoStore } from '../../src/store/mongo/mongo-store.js';
import { parseMongoUri } from '../../src/store/mongo/mongo-uri.js';
import { MongoURIStore } from '../../src/store/mongo/mongo-uri-store.js';
import { test } from '../cli/mrun-process.js';
import {
  describeMongo,
  MONGODB_URI,
  serverOptions,
  stored,
  uniqueDatabase,
  withClient,
} from '../store/mongo/server.js';
import type { Planted } from './planted.js';
import { plant, secretsIn } from './planted.js';
import {
  inUri,
  mongoStore,
  mongoUriStore,
  prepare,
  quotingBuilder,
  search,
} from './planted-project.js';

describeMongo('a secret planted in stores on a real server', () => {
  const database = uniqueDatabase();
  test('is in no output and no document', async ({ project }) => {
    const { files, variables, secrets } = planted(database);
    const items = [0, 1, 2, 3].map((n) => ({ k: `item ${n}`, n, last_updated: new Date() }));
    await withClient((client) => client.db(database).collection('items').insertMany(items));
    prepare(project, files, variables);
    const found = await search(
      project,
      [
        ['show good.json wrong.json report.json', 2],
        ['show --json good.json wrong.json', 0],
        ['validate --connect good.json report.json', 0],
        ['validate --connect wrong.json', 1],
        ['--plan good.json', 0],
        ['-r report.json -vv good.json', 3],
        ['-r report.json -vv --full-refresh -n 2 --isolation process good.json wrong.json', 1],
        ['-r report.json -vv --log-format json wrong.json', 1],
        ['failures good.json', 0],
        ['failures --json good.json', 0],
        ['status --all report.json', 0],
        ['status --all --json report.json', 0],
      ],
      secrets,
    );
    expect(found).toEqual({ leaks: [], surprises: [] });
    const [targets, reports] = [
      await stored(database, 'target'),
      await stored(database, 'reports'),
    ];
    expect(secretsIn(inspect({ targets, reports }, DEEP), secrets)).toEqual([]);
    expect(targets.filter(({ state }) => state === 'failed')).toHaveLength(2);
    expect(targets.find(({ state }) => state === 'failed')?.['error']).toMatch(/^not with \*\*\*/);
    expect(reports.length).toBeGreaterThanOrEqual(10);
  });

  test('is in no error, event or report', async () => {
    const { uri, refused, wrong, driverOption, secrets } = planted(database);
    const source = new MongoStore(database, 'items', {
      ...serverOptions(),
      username: refused.username,
      password: wrong.value,
      authSource: 'admin',
      mongoclientKwargs: { tlsCertificateKeyFilePassword: driverOption.value },
    });
    const target = new MongoURIStore(uri, 'copies', { database });
    const builder = new CopyBuilder(source, target);
    const processor = new SerialProcessor();
    const seen: unknown[] = [builder, source, target, JSON.stringify([source, target])];
    const note = (event: BuildEvent): number => seen.push(event, JSON.stringify(event));
    for (const name of [
      'BUILD_STARTED',
      'PROGRESS',
      'ITEM_FAILED',
      'UPDATE',
      'BUILD_ENDED',
    ] as const)
      processor.on(name, note);
    onTestFinished(() => target.close());
    const error = await processor.run(builder).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BuildFailedError);
    const { report, stack, cause } = error as BuildFailedError;
    seen.push(error, stack, report, JSON.stringify(report), inspect(cause, DEEP));
    expect(seen.length).toBeGreaterThanOrEqual(11);
    expect(secretsIn(seen.map((each) => inspect(each, DEEP)).join('\n'), secrets)).toEqual([]);
  });
});

const DEEP = { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null } as const;

/** Secrets, and files with them. */
function planted(database: string) {
  const [parameter, wrong, driverOption] = [plant('Parameter'), plant('Wrong'), plant('Driver')];
  const login = loginOf();
  const secrets = [parameter, wrong, driverOption, ...login];
  // It is handed to the driver, which needs it only with a key of its own.
  const uri = `${MONGODB_URI}&tlsCertificateKeyFilePassword=${inUri(parameter)}`;
  const { username, ...server } = serverOptions();
  const refused = { ...server, username: username || 'nobody', auth_source: 'admin' };
  const files = {
    'uri.txt': `${uri}\n`,
    'good.json': quotingBuilder(
      mongoUriStore(uri, { database, collection_name: 'items', key: 'k' }),
      mongoUriStore('$env:PLANTED_URI', { database, collection_name: 'target', key: 'k' }),
      {
        helpers: [mongoUriStore('$file:uri.txt', { database })],
        api_key: '$env:PLANTED_KEY',
      },
    ),
    'wrong.json': quotingBuilder(
      mongoStore({ ...refused, database, password: wrong.value }),
      mongoStore({ ...refused, database, password: '$env:PLANTED_WRONG' }),
    ),
    'report.json': mongoUriStore(uri, { database, collection_name: 'reports', key: '_id' }),
  };
  const variables = {
    PLANTED_URI: uri,
    PLANTED_KEY: driverOption.value,
    PLANTED_WRONG: wrong.value,
  };
  return { files, variables, secrets, uri, refused, wrong, driverOption };
}

/** The password of the server, where it asks for one. */
function loginOf(): Planted[] {
  const { password } = parseMongoUri(MONGODB_URI);
  return password === '' ? [] : [{ place: 'Login', core: password, value: password }];
}
