import { importPeer } from '../../util/import-peer.js';
import { withoutWarning } from './quiet-warning.js';

/** What can be bound to a parameter, and what a column holds. */
export type SqlValue = null | number | string | Uint8Array;

/** A statement as `node:sqlite` prepares it; what we call of it. */
export interface SqlStatement {
  run(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
  get(...values: SqlValue[]): unknown;
}

/** A connection as `node:sqlite` makes it; what we call of it. */
export interface SqlDriver {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

/** Opens a file, creating an empty one where there is none. */
export type OpenSqlDriver = (file: string) => SqlDriver;

interface SqliteModule {
  readonly DatabaseSync: new (file: string) => SqlDriver;
}

/**
 * Finds the driver: the one that Node has (from 22.13 on), else the optional package with the same interface.
 *
 * @throws {@link MissingDependencyError} when there is neither.
 */
export async function loadDriver(): Promise<OpenSqlDriver> {
  const { DatabaseSync } = builtinDriver() ?? (await packagedDriver());
  return (file) => new DatabaseSync(file);
}

function builtinDriver(): SqliteModule | undefined {
  return withoutWarning(
    (type, message) => type === 'ExperimentalWarning' && message.includes('SQLite'),
    // Without a flag, Node before 22.13 does not know the module.
    () => process.getBuiltinModule?.('node:sqlite') as SqliteModule | undefined,
  );
}

function packagedDriver(): Promise<SqliteModule> {
  const usedBy = `SQLiteStore on Node ${process.versions.node}`;
  return importPeer('@photostructure/sqlite', usedBy, () => import('@photostructure/sqlite'));
}
