import type { BSONRegExp } from 'bson';

/** A regular expression as BSON stores it: the pattern and its options in alphabetical order. */
interface RegexIdentity {
  readonly pattern: string;
  readonly options: string;
}

/**
 * Reads what identifies a regular expression, whichever class it has.
 *
 * BSON's option `s` is the flag `s` of JavaScript; the drivers read and write it as `g`.
 */
export function regexIdentity(value: RegExp | BSONRegExp): RegexIdentity {
  if ('pattern' in value) return { pattern: value.pattern, options: value.options };
  const { source, ignoreCase, multiline, dotAll, global } = value;
  const options = `${ignoreCase ? 'i' : ''}${multiline ? 'm' : ''}${dotAll || global ? 's' : ''}`;
  return { pattern: source, options };
}
