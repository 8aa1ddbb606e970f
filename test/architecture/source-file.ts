import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A file as the rules see it. */
export interface SourceFile {
  /** Relative to the folder of all files, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** One mention of another module. */
export interface Import {
  readonly specifier: string;
  /** `type` vanishes when compiled, `dynamic` is `import()`. */
  readonly kind: 'value' | 'type' | 'dynamic';
}

/** Reads all files of a folder and its subfolders whose names end so. */
export function readSources(folder: URL, ending = ''): SourceFile[] {
  const root = fileURLToPath(folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({
      path: path.relative(root, file).split(path.sep).join('/'),
      text: readFileSync(file, 'utf8'),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const trees = new WeakMap<SourceFile, ts.SourceFile>();

/** The syntax tree of a file. */
function parse(file: SourceFile): ts.SourceFile {
  let tree = trees.get(file);
  tree ??= ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  trees.set(file, tree);
  return tree;
}

/** Calls back for every node of a file, comments excluded. */
export function visit(file: SourceFile, onNode: (node: ts.Node) => void): void {
  const walk = (node: ts.Node) => {
    onNode(node);
    node.forEachChild(walk);
  };
  walk(parse(file));
}

/** All modules that a file mentions. Dynamic imports of what is not a literal are left out. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  visit(file, (node) => {
    if (ts.isImportDeclaration(node))
      found.push({ specifier: text(node.moduleSpecifier), kind: kindOf(node.importClause) });
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
      found.push({
        specifier: text(node.moduleSpecifier),
        kind: node.isTypeOnly ? 'type' : 'value',
      });
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteralLike(argument))
        found.push({ specifier: argument.text, kind: 'dynamic' });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      found.push({ specifier: text(node.argument.literal), kind: 'type' });
  });
  return found;
}

/** The file of ours that a relative import means, or null for a package. */
export function targetOf(file: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return path.posix.join(path.posix.dirname(file.path), specifier).replace(/\.js$/, '.ts');
}

/** The package of an import, or null for a relative one or a module of node. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** How many lines of a file hold code. */
export function codeLines(file: SourceFile): number {
  const tree = parse(file);
  const lines = new Set<number>();
  const lineAt = (position: number) => tree.getLineAndCharacterOfPosition(position).line;
  const walk = (node: ts.Node) => {
    if (ts.isJSDoc(node)) return;
    const tokens = node.getChildren(tree);
    for (const token of tokens) walk(token);
    if (tokens.length > 0 || node.getWidth(tree) === 0) return;
    for (let line = lineAt(node.getStart(tree)); line <= lineAt(node.getEnd()); line++)
      lines.add(line);
  };
  walk(tree);
  return lines.size;
}

function kindOf(clause: ts.ImportClause | undefined): Import['kind'] {
  if (clause === undefined) return 'value';
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return 'type';
  const { name, namedBindings } = clause;
  const onlyTypes =
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly);
  return onlyTypes ? 'type' : 'value';
}

function text(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : '';
}
