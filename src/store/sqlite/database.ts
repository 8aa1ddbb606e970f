import { nextTurn } from '../../util/turn.js';
import type { OpenSqlDriver, SqlDriver, SqlStatement, SqlValue } from './driver.js';
import { isBusy } from './sql-errors.js';

/** How long SQLite itself waits for another process to finish writing … */
const BUSY_TIMEOUT_MS = 10_000;
/** … and how long we go on asking. */
const WRITE_DEADLINE_MS = 120_000;

/**
 * A process that dies loses nothing, a machine that does may lose the last changes but never damages the file. Larger
 * pages (of a new file) and rarer checkpoints halve the time for keys that come in no order.
 */
const SETTINGS = `
  PRAGMA synchronous = NORMAL;
  PRAGMA page_size = 8192;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA cache_size = -32000;
`;

/** A connection to a file, with its prepared statements. */
export class Database {
  readonly #driver: SqlDriver;
  readonly #statements = new Map<string, SqlStatement>();
  #isOpen = true;
  #isWal = false;

  /** Opens a file, creating an empty one where there is none. */
  constructor(openDriver: OpenSqlDriver, file: string) {
    this.#driver = openDriver(file);
    try {
      // First, so that everything that follows waits.
      this.#driver.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      this.#driver.exec(SETTINGS);
    } catch (error) {
      this.#driver.close();
      throw error;
    }
  }

  /** False after {@link close}. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  run(sql: string, ...values: SqlValue[]): void {
    this.#prepare(sql).run(...values);
  }

  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** Changes when another connection has written to the file. */
  dataVersion(): number {
    return this.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  /** Carries out changes together, or none of them when it throws; it may have to wait for other processes. */
  async write<T>(action: () => T): Promise<T> {
    const deadline = performance.now() + WRITE_DEADLINE_MS;
    for (;;) {
      try {
        this.#begin();
        break;
      } catch (error) {
        // SQLite's own waiting is not fair, and does not cover all of its locks.
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      await nextTurn();
    }
    // From here to the end nobody else of this process can come in between.
    try {
      const result = action();
      this.#driver.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  close(): void {
    this.#isOpen = false;
    try {
      if (this.#isWal) this.#bringHome();
    } finally {
      this.#statements.clear();
      // Where closing is put off, at least no memory is kept.
      this.#driver.exec('PRAGMA shrink_memory');
      this.#driver.close();
    }
  }

  /**
   * Writes everything into the file itself, so that it can be copied alone.
   *
   * SQLite does so when the last connection is closed, but the driver for Node 20 really closes one only when its
   * statements have been collected as garbage.
   */
  #bringHome(): void {
    try {
      // Whoever else has the file open will do it later.
      this.#driver.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }

  #begin(): void {
    if (!this.#isWal) {
      // Readers and a writer then do not wait for each other. The file remembers it.
      this.#driver.exec('PRAGMA journal_mode = WAL');
      this.#isWal = true;
    }
    this.#driver.exec('BEGIN IMMEDIATE');
  }

  #rollBack(): void {
    try {
      this.#driver.exec('ROLLBACK');
    } catch {
      // After a full disk and the like SQLite has rolled back already; the first error is the one to tell.
    }
  }

  #prepare(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#driver.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
