import { InvalidOptionError } from '../errors/option-errors.js';
import { assertNonEmptyString } from '../util/assert-option.js';

/**
 * What is taken of the documents of one source: a list of fields, or new names with the fields that they are taken from.
 * Empty takes everything.
 */
export type ProjectedFields = readonly string[] | Readonly<Record<string, string>>;

/**
 * Checks and copies what a {@link ProjectionBuilder} was given as `fieldsToProject`.
 *
 * @param sources - How many sources there are.
 * @throws {@link InvalidOptionError} for anything else than one list or record of names for each source.
 */
export function resolveFields(value: unknown, sources: number): readonly ProjectedFields[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value))
    throw new InvalidOptionError(
      'fieldsToProject',
      'a list with one element for each source, such as [["a", "b"], { "new": "c" }], or null',
      value,
    );
  if (value.length !== sources)
    throw new InvalidOptionError(
      'fieldsToProject',
      `as long as sourceStores, which has ${sources} elements`,
      value,
    );
  return Object.freeze(value.map((fields, i) => resolveElement(fields, `fieldsToProject[${i}]`)));
}

function resolveElement(fields: unknown, option: string): ProjectedFields {
  if (typeof fields !== 'object' || fields === null)
    throw new InvalidOptionError(
      option,
      'a list of fields, or a record of new names and fields',
      fields,
    );
  const copy = Array.isArray(fields) ? [...fields] : { ...fields };
  for (const name of Object.values(copy)) assertNonEmptyString(option, name);
  for (const name of Object.keys(copy)) assertNonEmptyString(option, name);
  return Object.freeze(copy) as ProjectedFields;
}
