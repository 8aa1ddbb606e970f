/**
 * The name that Python gives to an argument: `chunkSize` is `chunk_size`, `s3URLPrefix` is `s3_url_prefix`.
 *
 * @param name - A property name in camelCase.
 */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
