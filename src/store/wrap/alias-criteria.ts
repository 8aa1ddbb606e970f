import { InvalidQueryError } from '../../errors/query-errors.js';
import { isDocument } from '../../query/bson-kind.js';
import type { Criteria } from '../../query/criteria.js';
import { setOwn } from '../../util/set-own.js';
import type { AliasNames } from './alias-names.js';

/** Operators that name fields in ways that are not understood here. */
const OPAQUE: ReadonlySet<string> = new Set([
  '$getField',
  '$jsonSchema',
  '$setField',
  '$unsetField',
]);

/**
 * Translates criteria into the names of the wrapped store; they are not changed.
 *
 * @throws {@link InvalidQueryError} for a document of which parts are stored elsewhere: nothing in the wrapped store
 * can be compared with it.
 */
export function toInternalCriteria(criteria: Criteria, names: AliasNames, place = '$'): Criteria {
  const result: Criteria = {};
  for (const [name, operand] of Object.entries(criteria)) {
    const at = `${place}.${name}`;
    if (name === '$expr') result[name] = toInternalExpression(operand, names, at);
    else if (OPAQUE.has(name)) throw opaque(at, name);
    else if (!name.startsWith('$')) setOwn(result, toInternalPath(name, names, at), operand);
    else if (Array.isArray(operand))
      result[name] = operand.map((part, i) =>
        isDocument(part) ? toInternalCriteria(part, names, `${at}[${i}]`) : part,
      );
    else result[name] = operand;
  }
  return result;
}

/**
 * Translates a path into the wrapped store's.
 *
 * @param place - Where it stands, for the message.
 * @throws {@link InvalidQueryError} as {@link toInternalCriteria} does.
 */
export function toInternalPath(path: string, names: AliasNames, place: string): string {
  const internal = names.internal(path);
  if (internal !== undefined) return internal;
  throw new InvalidQueryError(
    place,
    `by its aliases, parts of "${path}" are stored elsewhere: name the fields inside it`,
  );
}

/** Translates `$a.b`; variables such as `$$this` stay, and `$$ROOT.a.b` is a path again. */
function toInternalExpression(expression: unknown, names: AliasNames, place: string): unknown {
  if (typeof expression === 'string') return toInternalText(expression, names, place);
  if (Array.isArray(expression))
    return expression.map((part, i) => toInternalExpression(part, names, `${place}[${i}]`));
  if (!isDocument(expression)) return expression;
  const result: Record<string, unknown> = {};
  for (const [name, operand] of Object.entries(expression)) {
    const at = `${place}.${name}`;
    if (OPAQUE.has(name)) throw opaque(at, name);
    setOwn(result, name, name === '$literal' ? operand : toInternalExpression(operand, names, at));
  }
  return result;
}

function toInternalText(text: string, names: AliasNames, place: string): string {
  const [, root, path] = /^(\$\$(?:ROOT|CURRENT)\.|\$(?!\$))(.+)$/s.exec(text) ?? [];
  if (root !== undefined && path !== undefined) return root + toInternalPath(path, names, place);
  if (names.toInternal.size > 0 && (text === '$$ROOT' || text === '$$CURRENT'))
    throw new InvalidQueryError(
      place,
      'the stored document has other names: name fields, not the whole document',
    );
  return text;
}

const opaque = (place: string, name: string): InvalidQueryError =>
  new InvalidQueryError(place, `${name} cannot be translated into the names of the wrapped store`);
