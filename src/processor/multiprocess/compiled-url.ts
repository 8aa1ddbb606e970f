/**
 * Where a module of this package can be imported by plain Node, which is what a worker is: in the compiled code, also
 * when this process runs the sources.
 *
 * @param url - `file:` URL of a module of this package.
 */
export function compiledUrl(url: string): string {
  if (!url.endsWith('.ts')) return url;
  const sources = new URL('../../', import.meta.url).href;
  const compiled = new URL('../../../dist/', import.meta.url).href;
  return url.replace(sources, compiled).replace(/\.ts$/, '.js');
}
