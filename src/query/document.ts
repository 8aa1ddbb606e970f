/**
 * A document: plain data under field names, as stores hold it.
 *
 * Values are what BSON has: numbers, strings, booleans, null, dates, regular expressions, arrays,
 * nested documents and the classes of the `bson` package.
 */
// biome-ignore lint/suspicious/noExplicitAny: the shape of a document is the caller's, and reading doc.a.b must stay possible
export type Doc = { [field: string]: any };
