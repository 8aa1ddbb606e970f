import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { greatCircleKm, utmZone } from '../../examples/airports/geography.js';
import type { Doc } from '../../src/query/document.js';
import { SQLiteStore } from '../../src/store/sqlite/sqlite-store.js';
import { run } from './user-project.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tsx = createRequire(import.meta.url).resolve('tsx/cli');

describe('the airports example', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'maggma-airports-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const runExample = () =>
    run(process.execPath, [tsx, 'examples/airports/main.ts', folder], { cwd: root });
  const documents = async (collection: string): Promise<Doc[]> => {
    await using store = new SQLiteStore(path.join(folder, 'airports.db'), collection);
    await store.connect();
    return await store.query({}, { sort: { iata: 1 } }).toArray();
  };

  test('builds a real data set, once', { timeout: 180_000 }, async () => {
    const first = await runExample();
    expect(first.output).toContain('6632 new or changed, 0 unchanged');
    expect(first.output).toContain('6632 airports: 6271 built, 60 skipped (closed), 301 failed');
    expect(first.output).toContain('CopyBuilder: 500 succeeded, 0 failed');
    expect(first.code).toBe(0);

    const located = await documents('located');
    const states = located.map(({ state }) => state);
    expect(states.filter((state) => state === 'successful')).toHaveLength(6271);
    expect(located.find(({ iata }) => iata === 'HHN')).toMatchObject({
      name: 'Frankfurt-Hahn Airport',
      hemispheres: 'NE',
      utm_zone: '32U',
      nearest_hub: { iata: 'FRA', km: 94 },
    });
    expect(located.find(({ iata }) => iata === 'FIV')).toMatchObject({
      state: 'failed',
      error: 'it has no coordinates',
    });
    expect(await documents('large')).toHaveLength(500);

    const second = await runExample();
    expect(second.output).toContain('0 new or changed, 6632 unchanged');
    expect(second.output).toContain('nothing to build, everything is up to date');
    expect(second.output).toContain('CopyBuilder: 0 succeeded, 0 failed');
    expect(second.code).toBe(0);
    expect(await documents('located')).toEqual(located);
  });

  test('knows UTM zones', () => {
    expect(utmZone({ lat: 50.05, lon: 8.57 })).toBe('32U');
    expect(utmZone({ lat: -33.93, lon: 151.18 })).toBe('56H');
    expect(utmZone({ lat: 83, lon: 180 })).toBe('1X');
    expect(utmZone({ lat: 85, lon: 0 })).toBeNull();
  });

  test('knows distances', () => {
    const quarter = (Math.PI / 2) * 6371;
    expect(greatCircleKm({ lat: 0, lon: 0 }, { lat: 0, lon: 90 })).toBeCloseTo(quarter);
    expect(greatCircleKm({ lat: 90, lon: 7 }, { lat: 0, lon: -30 })).toBeCloseTo(quarter);
    expect(greatCircleKm({ lat: 1, lon: 2 }, { lat: 1, lon: 2 })).toBe(0);
  });
});
