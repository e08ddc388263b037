import { incidentOf, marksOf } from '../alerting/incidents.ts';
import { readHistoryCalendar } from '../calendar/calendar-file.ts';
import type { Marked } from '../calendar/marks.ts';
import { METRIC } from '../domain/names.ts';
import { isoSecond } from '../domain/times.ts';
import { dimensionsOf, endOfLastMinute, ledgerMinutes } from '../history/from-ledger.ts';
import { describeProgress, importHistory, storageOf } from '../history/history.ts';
import { incidentOf as stored } from '../ledger/journal.ts';
import { openSnapshot, type Snapshot } from '../ledger/tools/store.ts';
import { createProgress } from '../runtime/progress.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import type { CommandIo } from './io.ts';

/**
 * Reads what people said of incidents, so that the rules learn from the history as they did live.
 */
async function marksIn(snapshot: Snapshot): Promise<Marked[]> {
  const rows = await snapshot.query('SELECT * FROM incidents WHERE mark IS NOT NULL');
  return marksOf(rows.map(stored).map(incidentOf));
}

export interface ImportLedgerOptions {
  /** A folder, a file or the URL of a PostgreSQL. */
  ledger: string;
  dataDir: string;
  /** Default: the project's own. */
  rulesDir?: string | undefined;
  timezone: string;
  /** A calendar's file; empty for none. */
  calendar: string;
  /** Only minutes that ended by then, in seconds since the epoch; default now. */
  until?: number | undefined;
}

/**
 * `tillwatch import --from-ledger`. @returns the exit code @throws Error; then nothing was imported
 */
export async function importLedger(options: ImportLedgerOptions, io: CommandIo): Promise<number> {
  const { dataDir, until = Date.now() / 1000 } = options;
  const progress = createProgress(io.stderr);
  const snapshot = await openSnapshot(options.ledger);
  try {
    const codes = await snapshot.query('SELECT labels FROM series WHERE metric = $1 ORDER BY id', METRIC.authCodes);
    const to = await endOfLastMinute(snapshot, until);
    const imported = await importHistory({
      minutes: ledgerMinutes(snapshot, until),
      ...(to !== undefined && { to }),
      authCodes: codes.map(({ labels }) => JSON.parse(String(labels)).auth_code),
      calendar: await readHistoryCalendar(options.calendar, options.timezone, await marksIn(snapshot)),
      dataDir,
      rulesDir: options.rulesDir ?? SHIPPED_RULES,
      onProgress: (state) => progress.show(describeProgress(state)),
      signal: io.signal,
    });
    progress.end();
    const dimensions = await dimensionsOf(snapshot, METRIC.transactions);
    const by = dimensions.length === 0 ? '' : ` by ${dimensions.join(', ')}`;
    io.stdout.write(
      `imported ${imported.minutes} minutes${by} of ${snapshot.name}, from ${isoSecond(imported.from)} to ${isoSecond(imported.to)}\n` +
        `wrote ${imported.samples} samples in ${imported.series} series to ${storageOf(dataDir)}\n`,
    );
    return 0;
  } finally {
    progress.end();
    await snapshot.close();
  }
}
