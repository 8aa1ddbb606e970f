import { isDocument, Kind, kindOf } from './bson-kind.js';
import { compileExpression } from './expression.js';
import type { Evaluate } from './expression-operators.js';
import { elementTest } from './match-array.js';
import { compileCriteria } from './match-document.js';
import { isTruthy } from './match-element.js';
import { compileOperators } from './match-field.js';
import type { SearchText } from './place.js';
import { Place } from './place.js';

/** What to do with one field. */
export type ProjectionNode =
  | { readonly type: 'include' | 'exclude' | 'positional' }
  | { readonly type: 'slice'; readonly skip: number; readonly limit: number | undefined }
  | { readonly type: 'elemMatch'; readonly test: (element: unknown) => boolean }
  | { readonly type: 'computed'; readonly evaluate: Evaluate }
  | ProjectionTree;

/** What to do with the fields of a document. */
export interface ProjectionTree {
  readonly type: 'tree';
  readonly children: Map<string, ProjectionNode>;
  /** True when the path that ends in `.$` leads through here. */
  isPositional?: boolean;
  /** True when something inside is computed: then a missing document is made. */
  isComputed?: boolean;
}

/** A projection as a tree; fields that it does not name are kept in mode `exclude` only. */
interface ParsedProjection {
  readonly root: ProjectionTree;
  readonly mode: 'include' | 'exclude';
  /** The path of the one `.$`, without it. */
  readonly positional: string | undefined;
}

interface Parsing {
  readonly root: ProjectionTree;
  mode: 'include' | 'exclude' | undefined;
  positional: string | undefined;
  hasElemMatch: boolean;
  hasSlice: boolean;
}

/**
 * Checks a projection and makes it into a tree.
 *
 * @param search - How regular expressions are run.
 */
export function parseProjection(
  spec: Record<string, unknown>,
  search?: SearchText,
): ParsedProjection {
  const root: ProjectionTree = { type: 'tree', children: new Map() };
  const parsing: Parsing = {
    root,
    mode: undefined,
    positional: undefined,
    hasElemMatch: false,
    hasSlice: false,
  };
  const place = new Place(compileCriteria, search, 'projection');
  for (const [name, value] of Object.entries(spec))
    parseField(parsing, name, value, place.at(name));
  const mode = parsing.mode ?? modeWithout(parsing);
  const id = root.children.get('_id');
  if (mode === 'include' && !id) root.children.set('_id', { type: 'include' });
  return { root, mode, positional: parsing.positional };
}

/** The mode when only `_id`, `$slice` and `$elemMatch` are there. */
function modeWithout({ root, hasElemMatch, hasSlice }: Parsing): 'include' | 'exclude' {
  if (hasSlice) return 'exclude';
  return hasElemMatch || root.children.get('_id')?.type === 'include' ? 'include' : 'exclude';
}

function parseField(parsing: Parsing, path: string, value: unknown, place: Place): void {
  const kind = kindOf(value);
  if (path.endsWith('.$')) parsePositional(parsing, path.slice(0, -2), value, place);
  else if (kind === Kind.Object) parseDocument(parsing, path, Object(value), place);
  else if (kind === Kind.Number || kind === Kind.Boolean) {
    const type = isTruthy(value) ? 'include' : 'exclude';
    if (path !== '_id') setMode(parsing, type, place);
    insert(parsing.root, path, { type }, place);
  } else parseComputed(parsing, path, value, place);
}

function parseDocument(
  parsing: Parsing,
  path: string,
  value: Record<string, unknown>,
  place: Place,
): void {
  const names = Object.keys(value);
  const operator = names[0] ?? place.fail('an empty document says nothing');
  if (operator.startsWith('$') && names.length > 1) place.fail('an operator must stand alone');
  if (operator === '$slice') {
    parsing.hasSlice = true;
    insert(parsing.root, path, slice(value[operator], place.at(operator)), place);
  } else if (operator === '$elemMatch') {
    parsing.hasElemMatch = true;
    if (path.includes('.')) place.fail('$elemMatch takes fields of the document itself only');
    insert(parsing.root, path, elemMatch(value[operator], place.at(operator)), place);
  } else if (operator.startsWith('$')) parseComputed(parsing, path, value, place);
  else {
    for (const [name, nested] of Object.entries(value)) {
      parseField(parsing, `${path}.${name}`, nested, place.at(name));
    }
  }
}

function parseComputed(parsing: Parsing, path: string, value: unknown, place: Place): void {
  setMode(parsing, 'include', place);
  const evaluate = compileExpression(value, place);
  insert(parsing.root, path, { type: 'computed', evaluate }, place);
}

function parsePositional(parsing: Parsing, path: string, value: unknown, place: Place): void {
  const isFlag = kindOf(value) === Kind.Number || kindOf(value) === Kind.Boolean;
  if (!isFlag || !isTruthy(value)) place.fail('the element that was found can only be included');
  if (parsing.positional !== undefined) place.fail('there can be one .$ only');
  parsing.positional = path;
  setMode(parsing, 'include', place);
  insert(parsing.root, path, { type: 'positional' }, place);
}

function setMode(parsing: Parsing, mode: 'include' | 'exclude', place: Place): void {
  if (parsing.mode !== undefined && parsing.mode !== mode) {
    place.fail('inclusion and exclusion cannot be mixed');
  }
  parsing.mode = mode;
}

function insert(root: ProjectionTree, path: string, node: ProjectionNode, place: Place): void {
  const names = path.split('.');
  const last = names.pop() as string;
  if ([...names, last].some((name) => name === '' || name.startsWith('$'))) {
    place.fail('not a field name that can be projected');
  }
  let tree = root;
  for (const name of names) {
    const next = tree.children.get(name) ?? { type: 'tree', children: new Map() };
    tree.children.set(name, next);
    tree = next.type === 'tree' ? next : place.fail('it lies inside another path');
    if (node.type === 'positional') tree.isPositional = true;
    if (node.type === 'computed') tree.isComputed = true;
  }
  if (tree.children.has(last)) place.fail('another path is the same or lies inside');
  tree.children.set(last, node);
}

function slice(operand: unknown, place: Place): ProjectionNode {
  const parts = Array.isArray(operand) ? operand : [operand];
  const [first, second] = parts.map(truncate);
  if (first === undefined || (parts.length === 2 && second === undefined) || parts.length > 2) {
    return place.fail('expected a whole number, or [skip, limit]');
  }
  if (second === undefined) {
    return first < 0
      ? { type: 'slice', skip: first, limit: undefined }
      : { type: 'slice', skip: 0, limit: first };
  }
  if (second <= 0) place.at(1).fail('expected at least 1');
  return { type: 'slice', skip: first, limit: second };
}

function truncate(value: unknown): number | undefined {
  const number = kindOf(value) === Kind.Number ? Math.trunc(Number(value)) : Number.NaN;
  return Number.isNaN(number) ? undefined : number;
}

function elemMatch(operand: unknown, place: Place): ProjectionNode {
  if (!isDocument(operand)) return place.fail('expected an object');
  return { type: 'elemMatch', test: elementTest(operand, place, compileOperators) };
}
