import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Doc, Store } from 'maggma';
import type { AirportRecord } from './airport-builder.js';

/** How many records were written, and how many were there already. */
export interface ImportCounts {
  readonly written: number;
  readonly unchanged: number;
}

/** Reads the data set: a JSON file in an npm package. */
export function readDataSet(): AirportRecord[] {
  const file = new URL(import.meta.resolve('airports/airports.json'));
  return JSON.parse(readFileSync(file, 'utf8')) as AirportRecord[];
}

/**
 * Brings a store up to date with the data set.
 *
 * The records have no time stamps, so each gets the time at which it was first seen to be so. One that is the same as
 * before keeps its stamp, and builders leave it alone. Of several records with one code the last one is taken.
 */
export async function importAirports(
  records: readonly AirportRecord[],
  store: Store,
): Promise<ImportCounts> {
  const known = new Map((await store.query().toArray()).map((doc) => [doc['iata'], doc]));
  const unique = [...new Map(records.map((record) => [record.iata, record])).values()];
  const changed = unique.filter((record) => !isSame(record, known.get(record.iata)));
  const now = new Date();
  await store.update(changed.map((record) => ({ ...record, last_updated: now })));
  return { written: changed.length, unchanged: unique.length - changed.length };
}

function isSame(record: AirportRecord, stored: Doc | undefined): boolean {
  if (stored === undefined) return false;
  const { _id, last_updated, ...rest } = stored;
  return isDeepStrictEqual(rest, record);
}
