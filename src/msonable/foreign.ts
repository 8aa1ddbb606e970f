import { DeserializationError } from '../errors/serialization-errors.js';
import { setOwn } from '../util/set-own.js';
import type { PlainRecord, PlainValue } from './plain-value.js';
import { isPlainRecord, MAX_DEPTH } from './plain-value.js';
import { state } from './registry.js';

/** Python libraries whose values have no counterpart here. Their tagged form is kept as it is. */
const PYTHON_VALUES: ReadonlySet<unknown> = new Set([
  'bson.objectid',
  'datetime',
  'numpy',
  'pandas',
  'pathlib',
  'pint',
  'torch',
  'uuid',
]);

/** The class that a tagged record names, or null for a plain one. */
export function tagOf(record: object): { module: string; name: string } | null {
  const module = own(record, '@module');
  const name = own(record, '@class');
  const isTag = typeof module === 'string' && typeof name === 'string' && module && name;
  return isTag ? { module, name } : null;
}

/** Tells whether a record names a function of Python's. Such a reference is data and is never followed. */
export function isCallable(record: object): boolean {
  return typeof own(record, '@module') === 'string' && typeof own(record, '@callable') === 'string';
}

function own(record: object, key: string): unknown {
  return Object.hasOwn(record, key) ? Reflect.get(record, key) : undefined;
}

/**
 * Tells whether an unknown tagged record is a value for certain, not an object that somebody must build:
 * something of numpy, pandas and the like, or a member of an enum (monty writes its `value` first).
 */
export function isForeignValue(record: PlainRecord): boolean {
  return PYTHON_VALUES.has(record['@module']) || Object.keys(record)[0] === 'value';
}

/** Copies a tagged record so that writing the copy gives the same record again. */
export function keep(record: PlainRecord, path: string, depth: number): PlainRecord {
  const copy = copyOf(record, path, depth) as PlainRecord;
  state.kept.add(copy);
  return copy;
}

function copyOf(value: PlainValue, path: string, depth: number): PlainValue {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw tooDeep(path);
  if (Array.isArray(value)) return value.map((item) => copyOf(item, path, depth + 1));
  if (!isPlainRecord(value)) return value;
  const copy: PlainRecord = {};
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, copyOf(item, path, depth + 1));
  return copy;
}

/** The error of a reader that meets more than {@link MAX_DEPTH} levels. */
export function tooDeep(path: string): DeserializationError {
  const place = path.length > 100 ? `${path.slice(0, 100)}…` : path;
  return new DeserializationError(
    place,
    `Expected at most ${MAX_DEPTH} levels of nesting, got more: is this really a dump?`,
  );
}

/** Tells whether this very record was read as the tagged form of something that is unknown here. */
export function isKept(record: object): boolean {
  return state.kept.has(record);
}

/**
 * The text of a path that Python wrote as a `pathlib.Path`, which is kept as its tagged form here.
 *
 * @returns The path; the value itself when it is a string already; undefined for anything else.
 */
export function pythonPath(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const isPath = own(value, '@module') === 'pathlib' && own(value, '@class') === 'Path';
  const text = isPath ? own(value, 'string') : undefined;
  return typeof text === 'string' ? text : undefined;
}
