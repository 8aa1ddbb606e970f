import { createRequire } from 'node:module';
import type { ScalarTag, Tags } from 'yaml';
import type { MaggmaError } from '../errors/maggma-error.js';
import { printNumber } from './json-writer.js';
import type { PlainValue } from './plain-value.js';
import { MAX_INTEGER_DIGITS } from './plain-value.js';

let loaded: typeof import('yaml') | undefined;

/** The package takes a while to load and few files are YAML; `dumpfn` is synchronous, so it is required. */
function yaml(): typeof import('yaml') {
  loaded ??= createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return loaded;
}

const INTEGER: ScalarTag = {
  identify: (value) => typeof value === 'bigint' || Number.isSafeInteger(value),
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^[-+]?(?:[0-9][0-9_]*|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)$/,
  resolve: (text) => toInteger(text.replaceAll('_', '')),
  stringify: ({ value }) => (typeof value === 'number' ? printNumber(value) : String(value)),
};

const FLOAT: ScalarTag = {
  identify: (value) => typeof value === 'number',
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*\.[0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: toFloat,
  stringify: ({ value }) =>
    Number.isFinite(value)
      ? printNumber(value as number)
      : Number.isNaN(value)
        ? '.nan'
        : (value as number) < 0
          ? '-.inf'
          : '.inf',
};

function toInteger(text: string): number | bigint {
  const sign = text.startsWith('-') ? -1n : 1n;
  const digits = text.replace(/^[-+]/, '');
  if (digits.length > MAX_INTEGER_DIGITS)
    throw new RangeError(`an integer has ${digits.length} digits, more than ${MAX_INTEGER_DIGITS}`);
  const exact = sign * BigInt(digits);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function toFloat(text: string): number {
  if (/inf$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /nan$/i.test(text) ? Number.NaN : Number(text.replaceAll('_', ''));
}

/** YAML 1.2 numbers as ruamel reads them, exact, and timestamps (UTC unless they say otherwise). */
function withOurTags(tags: Tags): Tags {
  const others = tags.filter(
    (tag) => typeof tag === 'string' || !/:(?:int|float)$/.test(tag.tag ?? ''),
  );
  return [...others, INTEGER, FLOAT, 'timestamp'];
}

/** Enough for hand-written files; a bomb of nested aliases goes far beyond. */
const MAX_ALIASES = 100;

/**
 * Reads YAML 1.2: `yes` is a text, timestamps are dates, merge keys count, equal keys are an error.
 *
 * @param report - Makes the error for a text that is not YAML, or not one document.
 */
export function parseYaml(text: string, report: (problem: string) => MaggmaError): PlainValue {
  try {
    const document = yaml().parseDocument(text, {
      customTags: withOurTags,
      merge: true,
      logLevel: 'error',
    });
    const [error] = document.errors;
    if (error) throw error;
    return (document.toJS({ maxAliasCount: MAX_ALIASES }) ?? null) as PlainValue;
  } catch (cause) {
    const isOverflow = cause instanceof RangeError && /call stack/.test(cause.message);
    const problem = isOverflow ? 'it is nested too deeply' : (cause as Error).message;
    throw report(`It is not valid YAML: ${problem}`);
  }
}

/** Texts that a reader of YAML 1.1 takes for a boolean, a number of base 60, a date and so on. */
const AMBIGUOUS =
  /^(?:y|n|yes|no|on|off|true|false|null|~|=|<<)$|^[-+]?(?:\d[\d_,]*(?:\.[\d_]*)?|\.[\d_]+)(?:e[-+]?\d+)?$|^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?$|^[-+]?0[box]?[\da-f_]+$|^\d{4}-\d\d?-\d\d?/i;

/**
 * Prints plain data as YAML in the style of ruamel: lists not indented, null empty, nothing folded.
 *
 * Texts that YAML 1.1 reads as something else are quoted.
 *
 * @param indent - Spaces per level.
 */
export function printYaml(value: PlainValue, indent = 2): string {
  const { Document, isScalar, visit } = yaml();
  const document = new Document(value, { customTags: withOurTags, aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === 'string' && AMBIGUOUS.test(node.value))
        node.type = 'QUOTE_SINGLE';
    },
  });
  return document.toString({
    indent,
    indentSeq: false,
    lineWidth: 0,
    nullStr: '',
    singleQuote: true,
  });
}
