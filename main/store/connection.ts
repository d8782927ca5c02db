/**
 * One connection to a session file: prepared statements, transactions, and errors in words. What the statements say is for the files of the
 * tables. Plain statements on better-sqlite3, because it is synchronous: a transaction reads from top to bottom and nothing comes between.
 */
import Database from 'better-sqlite3';
import { fileError, inWords } from './problems.ts';

export type SqlValue = string | number | Uint8Array | null;
export type Access = 'read' | 'write' | 'create';

export class Connection implements Disposable {
  readonly path: string;
  readonly writable: boolean;
  /** Whether the file's schema is one that we do not know: what is not found there is then no bug. */
  ofNewerVersion = false;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement<SqlValue[]>>();

  /**
   * @param path absolute
   * @throws UserError if the file cannot be opened so
   */
  constructor(path: string, access: Access) {
    this.path = path;
    this.writable = access === 'write' || access === 'create';
    this.#database = this.#inWords(() => new Database(path, { readonly: !this.writable, fileMustExist: access !== 'create' }));
    // A schema may hold expressions that its maker chose: none may call a function with effects.
    try {
      for (const setting of ['trusted_schema = OFF', 'cell_size_check = ON', 'foreign_keys = ON']) this.pragma(setting);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Statements without results or values, such as a migration's. */
  execute(sql: string): void {
    this.#inWords(() => this.#database.exec(sql));
  }

  /** The first value of what a pragma answers. */
  pragma(statement: string): unknown {
    return this.#inWords(() => this.#database.pragma(statement, { simple: true }));
  }

  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#inWords(() => this.#prepared(sql).all(...values)) as Row[];
  }

  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#inWords(() => this.#prepared(sql).get(...values)) as Row | undefined;
  }

  /** @returns how many rows it changed @throws UserError unless the connection may write */
  run(sql: string, ...values: SqlValue[]): number {
    this.requireWritable();
    return this.#inWords(() => this.#prepared(sql).run(...values)).changes;
  }

  /** All of what `work` writes, or nothing of it. One inside another is part of it. */
  transaction<T>(work: () => T): T {
    this.requireWritable();
    if (this.#database.inTransaction) return work();
    this.execute('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.execute('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.inTransaction) this.execute('ROLLBACK'); // SQLite itself rolls back where a disk is full
      throw error;
    }
  }

  requireWritable(): void {
    if (!this.writable) throw fileError('must be open to writing for this (it was opened to read)', this.path);
  }

  /** A whole copy of the file as it is now, also of what is still in its log. */
  async backup(path: string): Promise<void> {
    try {
      await this.#database.backup(path);
    } catch (error) {
      throw inWords(error, path);
    }
  }

  close(): void {
    this.#inWords(() => this.#database.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #prepared(sql: string): Database.Statement<SqlValue[]> {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare<SqlValue[]>(sql)));
    return statement;
  }

  #inWords<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (this.ofNewerVersion && code === 'SQLITE_ERROR')
        throw fileError(`must be read by the newer version of this program that made it (${message})`, this.path, error);
      throw inWords(error, this.path);
    }
  }
}
