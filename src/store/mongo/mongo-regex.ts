import { BSONRegExp } from 'bson';

/**
 * A regular expression as the server understands it.
 *
 * Left to itself the driver writes JavaScript's flag `g` as `s`, and its `s` not at all.
 */
export function toServerRegex({ source, ignoreCase, multiline, dotAll }: RegExp): BSONRegExp {
  const options = `${ignoreCase ? 'i' : ''}${multiline ? 'm' : ''}${dotAll ? 's' : ''}`;
  return new BSONRegExp(source, options);
}
