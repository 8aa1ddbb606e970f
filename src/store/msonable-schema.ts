import { ClassDeclarationError } from '../errors/serialization-errors.js';
import type { AnyClass } from '../msonable/fields.js';
import { infoOf } from '../msonable/registry.js';
import type { Doc } from '../query/document.js';

/**
 * Makes a JSON Schema for a serialized object of a class, as {@link asDict} writes it, to be a part of the schema of a
 * {@link JSONSchemaValidator}.
 *
 * @param cls - A class decorated with {@link MSONable}.
 * @throws {@link ClassDeclarationError} when it is not decorated.
 *
 * @example
 * ```ts
 * new JSONSchemaValidator({ properties: { builder: msonableSchema(CopyBuilder) } });
 * ```
 */
export function msonableSchema(cls: AnyClass): Doc {
  const info = infoOf(cls);
  if (info === undefined)
    throw new ClassDeclarationError(
      typeof cls === 'function' ? cls.name : String(cls),
      'it is not serializable: decorate it with @MSONable(import.meta.url)',
    );
  return {
    type: 'object',
    required: ['@class', '@module'],
    properties: { '@class': { const: info.name }, '@module': { const: info.module } },
  };
}
