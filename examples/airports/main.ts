import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildReport } from 'maggma';
import { CopyBuilder, dumpfn, SQLiteStore } from 'maggma';
import { AirportBuilder } from './airport-builder.js';
import { importAirports, readDataSet } from './import-airports.js';

const HUBS = {
  ATL: { lat: 33.64, lon: -84.44 },
  DXB: { lat: 25.25, lon: 55.35 },
  FRA: { lat: 50.05, lon: 8.57 },
  GRU: { lat: -23.43, lon: -46.48 },
  HND: { lat: 35.55, lon: 139.78 },
  JNB: { lat: -26.13, lon: 28.23 },
  SIN: { lat: 1.36, lon: 103.99 },
  SYD: { lat: -33.93, lon: 151.18 },
};

// All paths are absolute, so that the dumped builders run from any folder.
const output = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, 'output'));
mkdirSync(output, { recursive: true });
const store = (name: string) =>
  new SQLiteStore(path.join(output, 'airports.db'), name, { key: 'iata' });
const [records, located, large] = [store('records'), store('located'), store('large')];

await records.connect();
const dataSet = readDataSet();
const { written, unchanged } = await importAirports(dataSet, records);
await records.close();
say('import', `${dataSet.length} records: ${written} new or changed, ${unchanged} unchanged`);

const builder = new AirportBuilder(records, located, { hubs: HUBS });
say('run()', describeReport(await builder.run()));
await located.connect();
const frankfurt = await located.queryOne({ iata: 'HHN' });
await located.close();
say('', `for instance ${frankfurt?.['name']}: ${JSON.stringify(frankfurt?.['nearest_hub'])}`);

// A second builder, to be run by the command: it copies the large airports out of what the first one made.
const copy = new CopyBuilder(located, large, { query: { size: 'large', state: 'successful' } });
const file = path.join(output, 'builders.json');
dumpfn([builder, copy], file, { indent: 2 });
say('dumpfn', `2 builders in ${path.relative(process.cwd(), file)}`);

const mrun = fileURLToPath(new URL('cli/mrun.js', import.meta.resolve('maggma')));
const run = spawnSync(process.execPath, [mrun, '-v', '--no-bars', file], { encoding: 'utf8' });
for (const line of run.stderr.split('\n').filter((text) => / - mrun - /.test(text)))
  say('mrun', (line.split(' - INFO - ')[1] ?? line).replace(/ in [\d.]+ s$/, ''));
if (run.status !== 0) say('mrun', `exit code ${run.status}\n${run.stderr}`);
process.exitCode = run.status ?? 1;

function describeReport({ total, succeeded, failed, skipped, failures }: BuildReport): string {
  if (total === 0) return 'nothing to build, everything is up to date';
  const [first] = failures;
  const why = first === undefined ? '' : `, such as ${first.key}: ${first.error.message}`;
  return `${total} airports: ${succeeded} built, ${skipped} skipped (closed), ${failed} failed${why}`;
}

function say(what: string, text: string): void {
  console.log(`${what.padEnd(8)}${text}`);
}
