import { showValue } from '../errors/show-value.js';
import { childPath } from '../msonable/plain-value.js';
import { isDocument } from '../query/bson-kind.js';
import { readField } from '../query/path.js';

/** One thing that is wrong with a document, as ajv tells it. */
export interface SchemaProblem {
  /** A JSON pointer into the document. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A place that a JSON pointer names, and what is there. */
export interface Place {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Follows a JSON pointer.
 *
 * @param root - Where it starts.
 * @param path - What the root is called.
 */
export function placeAt(root: unknown, pointer: string, path = '$'): Place {
  let place: Place = { path, value: root };
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const child = Array.isArray(place.value) ? Number(name) : name;
    place = { path: childPath(place.path, child), value: readField(place.value, name) };
  }
  return place;
}

/**
 * Says what is wrong, and where: `$.a[0].b: must be number, got 'x'`.
 *
 * @param doc - The document, to show what it holds there.
 */
export function describeProblem(problem: SchemaProblem, doc: unknown): string {
  const { path, value } = placeAt(doc, problem.instancePath);
  return `${path}: ${sentence(problem, value)}`;
}

/** Keywords whose message is about fields, elements or other schemas: what is there says nothing more. */
const ABOUT_PARTS = /required|propert|items|contains|depend|anyOf|oneOf|allOf|not|if/i;

function sentence({ keyword, message = 'is not valid', params }: SchemaProblem, value: unknown) {
  const { additionalProperty, unevaluatedProperty, allowedValues, allowedValue, types } = params;
  const extra = additionalProperty ?? unevaluatedProperty;
  if (extra !== undefined) return `must not have the property ${JSON.stringify(extra)}`;
  if (keyword === 'false schema') return 'must not be there';
  if (ABOUT_PARTS.test(keyword)) return message;
  const got = `got ${found(value)}`;
  if (Array.isArray(allowedValues))
    return `must be one of ${allowedValues.map((one) => JSON.stringify(one)).join(', ')}, ${got}`;
  if (keyword === 'const') return `must be ${JSON.stringify(allowedValue)}, ${got}`;
  if (keyword === 'bsonType') return `must be of the BSON type ${types}, ${got}`;
  return `${message}, ${got}`;
}

function found(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return isDocument(value) ? 'an object' : showValue(value);
}
