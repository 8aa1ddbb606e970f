import type { BSONRegExp } from 'bson';
import { Kind, kindOf } from './bson-kind.js';
import type { Condition } from './condition.js';
import { testEach } from './condition.js';
import type { ValueTest } from './path.js';
import type { Place } from './place.js';
import { regexIdentity } from './regex-identity.js';
import { translateRegex } from './regex-translation.js';

const OPTIONS = /^[imsxu]*$/;

/** A regular expression as condition: found in a text, or equal to a stored regular expression. */
export function compileRegex(value: RegExp | BSONRegExp, place: Place): ValueTest {
  const { pattern, options } = regexIdentity(value);
  return regexTest(pattern, options, place.search(toRegExp(value, place)));
}

/** `$regex` with its `$options`. */
export function compileRegexOperator(operand: unknown, options: unknown, place: Place): Condition {
  const at = place.at('$regex');
  const given = options ?? '';
  if (typeof given !== 'string') return place.at('$options').fail('expected a string');
  if (typeof operand === 'string') return testEach(fromParts(operand, given, at));
  if (kindOf(operand) !== Kind.RegExp) return at.fail('expected a string or a regular expression');
  const regex = operand as RegExp | BSONRegExp;
  const { pattern, options: own } = regexIdentity(regex);
  if (own && options !== undefined)
    place.at('$options').fail('the regular expression has options of its own');
  return testEach(given ? fromParts(pattern, given, at) : compileRegex(regex, at));
}

function fromParts(pattern: string, options: string, place: Place): ValueTest {
  const regex = translate(pattern, options, place);
  return regexTest(pattern, [...options].sort().join(''), place.search(regex));
}

function regexTest(
  pattern: string,
  options: string,
  isFound: (text: string) => boolean,
): ValueTest {
  return (value) => {
    if (typeof value === 'string') return isFound(value);
    const kind = kindOf(value);
    if (kind === Kind.String) return isFound(String(value));
    if (kind !== Kind.RegExp) return false;
    const identity = regexIdentity(value as RegExp | BSONRegExp);
    return identity.pattern === pattern && identity.options === options;
  };
}

/** A RegExp with the flag `u` or `v` can say what no translation can: it is taken as it is. */
function toRegExp(value: RegExp | BSONRegExp, place: Place): RegExp {
  if ('pattern' in value) return translate(value.pattern, value.options, place);
  const flags = value.flags.replace(/[dgy]/g, '');
  if (/[uv]/.test(flags)) return new RegExp(value.source, flags);
  try {
    return translateRegex(value.source, flags);
  } catch {
    return new RegExp(value.source, flags);
  }
}

function translate(pattern: string, options: string, place: Place): RegExp {
  if (!OPTIONS.test(options)) place.fail(`the options ${options} are not among i, m, s and x`);
  if (pattern.includes('\0')) place.fail('the pattern contains NUL');
  try {
    return translateRegex(pattern, options);
  } catch (error) {
    return place.fail(`the pattern cannot be used: ${String(error)}`);
  }
}
