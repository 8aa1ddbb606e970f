import { InvalidDocumentError } from '../../errors/store-errors.js';
import { isDocument } from '../../query/bson-kind.js';
import type { Doc } from '../../query/document.js';
import { setOwn } from '../../util/set-own.js';

/**
 * Makes a document with other names for its fields; those without another name keep theirs, and their order.
 *
 * Nested documents are made as they are needed and left out when all that they held has moved; documents inside
 * arrays are left as they are. The result shares values with the document, which is not changed.
 *
 * @param names - The new name for an old one.
 * @param parents - All documents that have fields with another name, on either side.
 * @throws {@link InvalidDocumentError} when a field would have to be put into something that is not a document.
 */
export function renameFields(
  doc: Doc,
  names: ReadonlyMap<string, string>,
  parents: ReadonlySet<string>,
): Doc {
  const result: Doc = {};
  const move = (source: Doc, prefix: string): void => {
    for (const name of Object.keys(source)) {
      const path = prefix + name;
      const value: unknown = source[name];
      const isParent = parents.has(path) && isDocument(value);
      if (isParent && Object.keys(value).length > 0) move(value, `${path}.`);
      else put(result, names.get(path) ?? path, isParent ? {} : value);
    }
  };
  move(doc, '');
  return result;
}

function put(result: Doc, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() as string;
  let target = result;
  for (const name of names) {
    if (!Object.hasOwn(target, name)) setOwn(target, name, {});
    const next: unknown = target[name];
    if (!isDocument(next)) throw clash(path);
    target = next;
  }
  if (!Object.hasOwn(target, last)) setOwn(target, last, value);
  // An empty document says nothing beside fields that were moved into it.
  else if (!isDocument(value) || Object.keys(value).length > 0) throw clash(path);
}

function clash(path: string): InvalidDocumentError {
  return new InvalidDocumentError(
    `$.${path}`,
    'its aliases put this field and another value in the same place',
  );
}
