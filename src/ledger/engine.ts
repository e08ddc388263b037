/** The interface between the ledger and a database; each engine implements it. */

export type Value = string | number | null;
export type Row = Record<string, unknown>;

/**
 * SQL with its parameters `$1`, `$2`, ..., all of them used. Words in braces stand for what engines
 * spell differently. `{rows}` and `{texts}` are a table `r` whose column `value` holds the elements
 * of the JSON array that is the first parameter, as JSON or as text.
 */
export type Statement = readonly [sql: string, ...parameters: Value[]];

/** The SQL that engines spell differently. */
export interface Dialect {
  /** Words in braces (schema.ts names more of them) and what stands for them. */
  words: Readonly<Record<string, string>>;
  /** Reads the names of all tables, as `name`. */
  tables: string;
  /** Has the numbers of a table's rows go on after the largest. */
  renumber(table: string): readonly Statement[];
  /** PRAGMA integrity_check finds a damaged file. */
  hasIntegrityCheck: boolean;
}

/** Another transaction has written meanwhile what this one was to write. Nothing is changed. */
export class Overtaken extends Error {
  override name = 'Overtaken';
}

export interface Engine {
  dialect: Dialect;
  /** The name for messages: the file, or the database without its password. */
  name: string;
  /** Runs statements on what is committed. @returns the rows of each */
  read(statements: readonly Statement[]): Promise<Row[][]>;
  /**
   * Runs statements in one transaction, all of them sent at once: no service holds a lock while it
   * computes.
   * @returns the rows of each @throws Overtaken where a row breaks a constraint
   */
  write(statements: readonly Statement[]): Promise<Row[][]>;
  /** Fails all that is under way, without waiting for a database that hangs. */
  abandon(): void;
  close(): Promise<void>;
}

/** Text as engines store it: PostgreSQL takes no half of a character, and no character 0. */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

/** SQL as an engine spells it. */
export const spell = (sql: string, { words }: Dialect): string =>
  sql.replace(/\{(\w+)\}/g, (_, word) => words[word] ?? '');
