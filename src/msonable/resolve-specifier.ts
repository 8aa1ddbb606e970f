/**
 * Resolves a module specifier as Node would in a module at `parent`.
 *
 * Node 20's own `import.meta.resolve` knows only the module that it stands in, and `createRequire` ignores packages that
 * can only be imported.
 *
 * @param parent - A `file:` URL.
 * @returns Undefined when there is no such module.
 */
export async function resolveSpecifier(
  specifier: string,
  parent: string,
): Promise<string | undefined> {
  // Only when it is needed: classes of this package are found without it.
  const { resolve } = await import('import-meta-resolve');
  try {
    return resolve(specifier, parent);
  } catch {
    return undefined;
  }
}
