import { setOwn } from '../util/set-own.js';
import { isDocument } from './bson-kind.js';
import type { Doc } from './document.js';
import { readField } from './path.js';
import type { ProjectionNode, ProjectionTree } from './projection-parse.js';

/** What is the same at each place of one document. */
export interface ProjectionContext {
  readonly doc: Doc;
  /** Which array element `.$` means. */
  readonly positionIn: ((doc: Doc) => number) | undefined;
}

/** Copies the fields that a tree names. */
export function applyInclusion(source: Doc, tree: ProjectionTree, context: ProjectionContext): Doc {
  const result: Doc = {};
  let left = tree.children.size;
  for (const name of Object.keys(source)) {
    const node = tree.children.get(name);
    if (node === undefined) continue;
    if (!isAppended(node)) {
      const value = include(source[name], node, context);
      if (value !== undefined) setOwn(result, name, value);
    }
    left -= 1;
    if (left === 0) break;
  }
  append(result, source, tree, context);
  return result;
}

/** Copies the fields that a tree does not leave out. */
export function applyExclusion(source: Doc, tree: ProjectionTree, context: ProjectionContext): Doc {
  const result: Doc = {};
  for (const name of Object.keys(source)) {
    const node = tree.children.get(name);
    const value = node ? exclude(source[name], node, context) : source[name];
    if (value !== undefined) setOwn(result, name, value);
  }
  return result;
}

/** True for nodes whose fields come after all others. */
function isAppended(node: ProjectionNode): boolean {
  return node.type === 'computed' || node.type === 'elemMatch';
}

function append(result: Doc, source: Doc, tree: ProjectionTree, context: ProjectionContext): void {
  for (const [name, node] of tree.children) {
    const value = appended(source, name, node, context);
    if (value !== undefined && !Object.hasOwn(result, name)) setOwn(result, name, value);
  }
}

function appended(source: Doc, name: string, node: ProjectionNode, context: ProjectionContext) {
  switch (node.type) {
    case 'computed':
      return node.evaluate(context.doc);
    case 'elemMatch':
      return firstMatch(readField(source, name), node.test);
    case 'tree':
      return node.isComputed ? applyInclusion({}, node, context) : undefined;
    default:
      return undefined;
  }
}

/** The first element that satisfies a test, in an array of its own. */
function firstMatch(value: unknown, test: (element: unknown) => boolean): unknown {
  const index = Array.isArray(value) ? value.findIndex(test) : -1;
  return Array.isArray(value) && index >= 0 ? [value[index]] : undefined;
}

function include(value: unknown, node: ProjectionNode, context: ProjectionContext): unknown {
  switch (node.type) {
    case 'include':
      return value;
    case 'positional':
      return Array.isArray(value) ? found(value, context) : value;
    case 'slice':
      return sliceOf(value, node.skip, node.limit);
    case 'tree':
      return includeInside(value, node, context);
    default:
      return undefined;
  }
}

/** Inside arrays only what can have the fields is kept: documents, and arrays of them. */
function includeInside(value: unknown, tree: ProjectionTree, context: ProjectionContext): unknown {
  if (isDocument(value)) return applyInclusion(value, tree, context);
  if (!Array.isArray(value)) return undefined;
  // The outermost array on the way to `.$` is the one that is cut down to the element found.
  const elements = tree.isPositional ? found(value, context) : value;
  const inner = tree.isPositional ? { ...context, positionIn: undefined } : context;
  const kept: unknown[] = [];
  for (const element of elements) {
    const inside = includeInside(element, tree, inner);
    if (inside !== undefined) kept.push(inside);
  }
  return kept;
}

function exclude(value: unknown, node: ProjectionNode, context: ProjectionContext): unknown {
  switch (node.type) {
    case 'exclude':
      return undefined;
    case 'slice':
      return sliceOf(value, node.skip, node.limit);
    case 'elemMatch':
      return firstMatch(value, node.test);
    case 'tree':
      return excludeInside(value, node, context);
    default:
      return value;
  }
}

function excludeInside(value: unknown, tree: ProjectionTree, context: ProjectionContext): unknown {
  if (isDocument(value)) return applyExclusion(value, tree, context);
  if (!Array.isArray(value)) return value;
  return value.map((element) => excludeInside(element, tree, context));
}

/** The element that the filter found, unless an outer array has been cut down already. */
function found(
  array: readonly unknown[],
  { doc, positionIn }: ProjectionContext,
): readonly unknown[] {
  const position = positionIn?.(doc);
  return position === undefined ? array : array.slice(position, position + 1);
}

/** A negative start counts from the end, and not beyond the beginning. */
function sliceOf(value: unknown, skip: number, limit: number | undefined): unknown {
  if (!Array.isArray(value)) return value;
  const start = skip < 0 ? Math.max(0, value.length + skip) : skip;
  return value.slice(start, limit === undefined ? undefined : start + limit);
}
