import { isDocument } from './bson-kind.js';

const DBREF_FIELDS: ReadonlySet<string> = new Set(['$ref', '$id', '$db']);

/**
 * True for a document whose first field is an operator; such a value is a condition, not a value to
 * be equal to. References to other documents (`$ref`, `$id`, `$db`) are values.
 */
export function isOperatorObject(value: unknown): value is Record<string, unknown> {
  if (!isDocument(value)) return false;
  const name = Object.keys(value)[0];
  return name?.startsWith('$') === true && !DBREF_FIELDS.has(name);
}
