import { isDeepStrictEqual } from 'node:util';
import { Binary } from 'bson';
import { expect, test } from 'vitest';
import { dumps } from '../../src/msonable/dump.js';
import { loads } from '../../src/msonable/load.js';
import { canonical, golden, Tally } from './golden-data.js';
import './golden-classes.js';
import { fromRepr } from './python-repr.js';

const CUT = 'a Date has milliseconds, as MongoDB has';
const OFFSET = 'the offset is subtracted, and the instant written in UTC';

interface Case {
  readonly group: string;
  readonly name: string;
  readonly encoded_json?: string;
  readonly encode_error?: object;
}

const CASES: Readonly<Record<string, string>> = {
  'plain/dict_key_order': 'JavaScript moves keys that look like whole numbers to the front',
  'plain/dict_colliding_keys': 'of equal keys the last one counts, on reading in Python too',
  'datetime/dt_naive_us': CUT,
  'datetime/dt_max': CUT,
  'datetime/dt_pre_epoch': CUT,
  'datetime/pandas_timestamp': CUT,
  'datetime/dt_utc': OFFSET,
  'datetime/dt_utc_us': `${CUT}; ${OFFSET}`,
  'datetime/dt_plus_0530': OFFSET,
  'datetime/dt_minus_0500': OFFSET,
  'enum/maggma_sort': 'is read as its value, which means the same wherever it is taken',
  'enum/maggma_datetimeformat': 'is read as its value, which means the same wherever it is taken',
  'pandas/pd_nat': 'NaT is no time; Python cannot read it either',
};

test('cases.json: what monty wrote is read and written again as it was', async () => {
  const cases = golden<Case[]>('cases.json');
  const texts = cases.filter((one) => one.encoded_json !== undefined);
  const tally = new Tally('cases.json', CASES);
  for (const { group, name, encoded_json: text = '' } of texts)
    tally.count(`${group}/${name}`, await problemOf(text));
  const { counted, others, notFound } = tally.report(texts.length);
  expect(others).toEqual([]);
  expect(notFound).toEqual([]);
  expect(counted).toBe(texts.length);
  // The rest are values that monty itself cannot write.
  expect(cases.filter((one) => one.encode_error).length + counted).toBe(208);
});

async function problemOf(text: string): Promise<string | null> {
  try {
    const written = dumps(await loads(text, { unknown: 'keep' }));
    return canonical(written) === canonical(text) ? null : `written as ${written}`;
  } catch (error) {
    return String(error);
  }
}

test('cases.json: a text without whole floats comes back byte for byte', async () => {
  let count = 0;
  for (const { group, name, encoded_json: text } of golden<Case[]>('cases.json')) {
    if (text === undefined || Object.hasOwn(CASES, `${group}/${name}`)) continue;
    if (/\d\.0\b/.test(text)) continue;
    expect(dumps(await loads(text, { unknown: 'keep' }))).toBe(text);
    count++;
  }
  expect(count).toBeGreaterThan(110);
});

test('cases.json: by default an object of an unknown class is an error', async () => {
  const golden_pkg = golden<Case[]>('cases.json').filter(
    ({ group, encoded_json: text = '' }) =>
      ['msonable', 'dataclass', 'pydantic'].includes(group) &&
      /"@module": "golden_/.test(text) &&
      !/"@class": "Simple"/.test(text),
  );
  expect(golden_pkg.length).toBeGreaterThan(20);
  for (const { encoded_json: text = '' } of golden_pkg)
    await expect(loads(text)).rejects.toMatchObject({ code: 'UNKNOWN_CLASS', path: '$' });
});

interface DecodeCase {
  readonly group: string;
  readonly name: string;
  readonly json_text: string;
  readonly loadfn: {
    readonly error?: { readonly type: string };
    readonly repr?: string;
    readonly as_dict_json?: string;
  };
}

const REGEX =
  'a `$regex` stays the operator that it is in a query; Python loses the operators beside it';
const KEPT = 'is kept as it was written; nothing here corresponds to it';
const CALLABLE = 'a reference to a function is data and never followed';
const UNKNOWN = 'the class is unknown, which is an error where an object may be expected';
const NOT_JS = 'a class of the Python test package, unknown here';

const DECODE: Readonly<Record<string, string>> = {
  'extjson/query_regex': REGEX,
  'extjson/query_regex_options': REGEX,
  'extjson/query_regex_with_other_operator': REGEX,
  'extjson/query_not_regex': REGEX,
  'extjson/regularExpression': 'is a RegExp here',
  'tags/unknown_class': UNKNOWN,
  'tags/class_without_from_dict': UNKNOWN,
  'tags/dotted_class': UNKNOWN,
  'tags/main_module': UNKNOWN,
  'tags/number_module': 'is data: a module that is no text names nothing',
  'tags/msonable_class_itself': 'the base class of Python has no counterpart',
  'tags/from_dict_gets_raw_nested': NOT_JS,
  'tags/default_from_dict_decodes_nested': `${NOT_JS}; it is deep in data, so it is kept`,
  'tags/pydantic_nested': NOT_JS,
  'tags/dataclass': NOT_JS,
  'tags/enum': 'is read as its value',
  'tags/enum_reexported_module': 'is read as its value',
  'callable/system': CALLABLE,
  'callable/no_bound_key': CALLABLE,
  'callable/dotted': CALLABLE,
  'callable/bad_module': CALLABLE,
  'callable/walks_dunders': CALLABLE,
  'callable/bound_instance': CALLABLE,
  'datetime/plus_offset_dropped_not_converted': 'an offset is subtracted; Python drops it',
  'datetime/minus_offset': 'an offset is subtracted; Python fails',
  'datetime/t_separator': 'is read; Python fails',
  'datetime/z_suffix': 'is read; Python fails',
  'datetime/nanoseconds': 'is read; Python fails',
  'datetime/no_seconds': 'is read; Python fails',
  'stdlib/path_windows': KEPT,
  'numpy/int': KEPT,
  'numpy/int_from_floats': KEPT,
  'numpy/float_from_ints': KEPT,
  'numpy/float_null': KEPT,
  'numpy/complex': KEPT,
  'numpy/complex_0d': KEPT,
  'numpy/complex_empty': KEPT,
  'numpy/datetime_from_strings': KEPT,
  'numpy/object_not_decoded_inside': KEPT,
  'numpy/bad_dtype': KEPT,
  'numpy/ragged': KEPT,
  'numpy/uint8_overflow': KEPT,
  'numpy/missing_dtype': KEPT,
  'bson/objectid_wrong_module': UNKNOWN,
  'pandas/df': KEPT,
  'pandas/df_data_not_string': KEPT,
};

test('decode.json: texts are read as Python reads them', async () => {
  const cases = golden<DecodeCase[]>('decode.json');
  const tally = new Tally('decode.json', DECODE);
  for (const one of cases) tally.count(`${one.group}/${one.name}`, await disagreement(one));
  const { counted, others, notFound } = tally.report(cases.length);
  expect(others).toEqual([]);
  expect(notFound).toEqual([]);
  expect(counted).toBe(cases.length);
});

async function disagreement({ json_text: text, loadfn }: DecodeCase): Promise<string | null> {
  let value: unknown;
  try {
    value = await loads(text);
  } catch (error) {
    return loadfn.error ? null : `fails with ${error}`;
  }
  if (loadfn.error) return 'is read, but Python fails';
  if (loadfn.as_dict_json !== undefined) {
    const written = dumps(value);
    return canonical(written) === canonical(loadfn.as_dict_json) ? null : `written as ${written}`;
  }
  const expected = fromRepr(loadfn.repr ?? '');
  if (expected instanceof Buffer && value instanceof Binary)
    return expected.equals(value.buffer) ? null : 'other bytes';
  return isDeepStrictEqual(value, expected) ? null : `${loadfn.repr} is read as ${dumps(value)}`;
}

interface WriterCase {
  readonly name: string;
  readonly json_text: string;
  readonly error?: object;
  readonly loadfn_type?: string;
  readonly python_would_write?: string;
}

const ENUM = 'the enum is written as its value, which Python takes as well';
const NO_CLASS = 'this class is not among those of the test';

const TS_TO_PYTHON: Readonly<Record<string, string>> = {
  memory_null_key: 'a key is the name of a field; Python takes None and fails later',
  copy_untagged_store: 'a record is no store; Python takes it and fails later',
  memory_type_as_enum: ENUM,
  json_file_writable_legacy: '`file_writable` is the old name of `read_only`, not taken here',
  file_list_filters: NO_CLASS,
  file_no_filters: NO_CLASS,
  file_with_last_updated_field: NO_CLASS,
  file_path_tagged: NO_CLASS,
  s3_minimal: NO_CLASS,
  s3_last_updated_field: NO_CLASS,
  s3_key_differs_from_index: NO_CLASS,
  joint: NO_CLASS,
  aliasing_minimal: ENUM,
  aliasing_with_type_string: ENUM,
  gridfs_minimal: NO_CLASS,
  ssh: NO_CLASS,
  copy_query_date_extjson:
    'Python writes the zone, which it then drops on reading; here it is plain UTC',
  copy_query_date_monty_z: 'a time with T and Z is read; Python fails',
  copy_query_regex: 'Python makes a pattern of it, which it cannot write',
  ts_only_class_in_maggma_module: 'an unknown class is an error; Python makes a record of it',
  ts_only_class_in_maggma_module_nested:
    'an unknown class is an error; Python makes a record of it',
};

test('ts-to-python.json: what a text means here is what it means in Python', async () => {
  const cases = golden<WriterCase[]>('ts-to-python.json');
  const tally = new Tally('ts-to-python.json', TS_TO_PYTHON);
  for (const one of cases) tally.count(one.name, await otherMeaning(one));
  const { counted, others, notFound } = tally.report(cases.length);
  expect(others).toEqual([]);
  expect(notFound).toEqual([]);
  expect(counted).toBe(cases.length);
});

async function otherMeaning(one: WriterCase): Promise<string | null> {
  let written: string;
  try {
    written = dumps(await loads(one.json_text));
  } catch (error) {
    return one.error ? null : `fails with ${error}`;
  }
  if (one.error) return 'is read, but Python fails';
  const { python_would_write: expected = one.json_text } = one;
  return canonical(written) === canonical(expected) ? null : `written as ${written}`;
}
