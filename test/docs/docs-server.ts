import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';

/** The server that the docs speak of, and the database in it. */
const WRITTEN_URI = 'mongodb://localhost:27017';
const WRITTEN_DATABASE = 'materials';

/** The server on which the blocks of the docs run that need one. */
export interface DocsServer {
  readonly available: boolean;
  readonly uri: string;
  /** Replaces server and database in a block by the real ones. */
  adapt(code: string): string;
  /** Removes what the blocks wrote. */
  close(): Promise<void>;
}

/** Takes the server of `MONGODB_URI`; the blocks get a database of their own there. */
export function docsServer(): DocsServer {
  const uri = process.env['MONGODB_URI'] ?? '';
  const database = `maggma_docs_${randomBytes(6).toString('hex')}`;
  return {
    available: uri !== '',
    uri,
    adapt: (code) =>
      uri === ''
        ? code
        : code
            .replaceAll(`${WRITTEN_URI}/${WRITTEN_DATABASE}`, withDatabase(uri, database))
            .replaceAll(WRITTEN_URI, uri),
    async close() {
      if (uri === '') return;
      await using client = new MongoClient(uri);
      await client.db(database).dropDatabase();
    },
  };
}

function withDatabase(uri: string, database: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${database}`);
}
