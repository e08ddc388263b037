import { statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { UsageError } from '../config/usage-error.ts';
import { METRIC } from '../domain/names.ts';
import { isoSecond } from '../domain/times.ts';
import { countsOf, dimensionsOf } from '../history/from-ledger.ts';
import type { Row } from '../ledger/engine.ts';
import { backUp, copyLedger } from '../ledger/tools/copy.ts';
import { openSnapshot } from '../ledger/tools/store.ts';
import { verifyLedger } from '../ledger/tools/verify.ts';
import { writeAll } from '../runtime/write-all.ts';
import type { CommandIo } from './io.ts';

/**
 * `tillwatch ledger backup FILE`. `place` is a folder, a file or a URL, as everywhere below.
 * @returns the exit code
 */
export async function ledgerBackup(place: string, file: string, io: CommandIo): Promise<number> {
  await backUp(place, file);
  io.stdout.write(`backed up to ${file} (${statSync(file).size} bytes)\n`);
  return 0;
}

/** `tillwatch ledger verify [PLACE]`. @returns 1 where something is wrong */
export async function ledgerVerify(place: string, io: CommandIo): Promise<number> {
  const { name, findings } = await verifyLedger(place);
  for (const { check, wrong } of findings) {
    io.stdout.write(`${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${check}\n`);
    for (const line of wrong) io.stdout.write(`        ${line}\n`);
  }
  const isWrong = findings.some(({ wrong }) => wrong.length > 0);
  io.stdout.write(`${name} ${isWrong ? 'is damaged: restore a backup (docs/operations.md)' : 'is in order'}\n`);
  return isWrong ? 1 : 0;
}

/** `tillwatch ledger copy FROM TO`. */
export async function ledgerCopy(from: string, to: string, io: CommandIo): Promise<number> {
  const rows = await copyLedger(from, to);
  io.stdout.write(`copied ${rows} rows\n`);
  return 0;
}

const cell = (value: unknown): string => {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const csvLine = (cells: readonly unknown[]): string => `${cells.map(cell).join(',')}\n`;

/** `tillwatch ledger export`: counts by minute as `import` reads them. */
export async function ledgerExport(place: string, authCodes: boolean, io: CommandIo): Promise<number> {
  const snapshot = await openSnapshot(place);
  try {
    const metric = authCodes ? METRIC.authCodes : METRIC.transactions;
    const name = authCodes ? 'auth_code' : 'status';
    const dimensions = await dimensionsOf(snapshot, metric);
    await writeAll(io.stdout, [csvLine(['timestamp', name, 'count', ...dimensions])]);
    for await (const counts of countsOf(snapshot, metric)) {
      const lines = counts.map(({ minute, labels, count }) =>
        csvLine([isoSecond(minute), labels[name], count, ...dimensions.map((dimension) => labels[dimension])]),
      );
      if (!(await writeAll(io.stdout, lines, io.signal))) break;
    }
    return 0;
  } finally {
    await snapshot.close();
  }
}

/**
 * The beginning of a statement that only reads. Any other would fail in the end as well, but could
 * do something outside the ledger first.
 */
const READS = /^\s*(--[^\n]*\n\s*)*(select|with|values|explain)\b/i;

export type SqlFormat = 'table' | 'csv' | 'json';

/** `tillwatch ledger sql "SELECT ..."`. @throws UsageError where it is no statement that reads */
export async function ledgerSql(place: string, sql: string, format: SqlFormat, io: CommandIo): Promise<number> {
  const statement = sql.trim().replace(/;\s*$/, '');
  if (!READS.test(statement))
    throw new UsageError('the ledger is only read here: the statement must begin with SELECT, WITH, VALUES or EXPLAIN');
  const snapshot = await openSnapshot(place);
  try {
    const { columns, rows } = await snapshot.ask(statement);
    await writeRows[format](io.stdout, columns, rows);
    return 0;
  } finally {
    await snapshot.close();
  }
}

const writeRows: Record<SqlFormat, (to: Writable, columns: string[], rows: Row[]) => Promise<unknown>> = {
  csv: (to, columns, rows) =>
    writeAll(to, [csvLine(columns), ...rows.map((row) => csvLine(columns.map((name) => row[name])))]),
  json: (to, _, rows) => writeAll(to, [`${JSON.stringify(rows, null, 2)}\n`]),
  table: (to, columns, rows) => writeAll(to, [tableOf(columns, rows)]),
};

function shown(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  if (value === null) return '';
  // A line break in a value must not break the line of the table.
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll(/\p{Cc}/gu, ' ');
}

/** Aligns columns, with numbers to the right. */
function tableOf(columns: readonly string[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((name) => shown(row[name])));
  const widths = columns.map((name, i) =>
    cells.reduce((width, line) => Math.max(width, line[i]?.length ?? 0), name.length),
  );
  const right = columns.map(
    (name) => rows.length > 0 && rows.every((row) => row[name] === null || typeof row[name] === 'number'),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => (right[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[line(columns), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n')}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n`;
}
