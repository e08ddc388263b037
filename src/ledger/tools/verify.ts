import { hashOf } from '../plan.ts';
import { openSnapshot, rowsOf, type Snapshot } from './store.ts';

/** Each query names rows that must not be. */
const MUST_BE_EMPTY: Record<string, string> = {
  'each counter of a status equals the sums of its minutes': `
    SELECT status, CAST(SUM(counter) AS BIGINT) AS counter, CAST(SUM(minutes) AS BIGINT) AS minutes FROM (
      SELECT labels{json}->>'status' AS status, value AS counter, 0 AS minutes FROM series
      WHERE metric IN ('transactions_total', 'transactions_late_total')
      UNION ALL SELECT status, 0, count FROM minute_totals
      UNION ALL SELECT status, 0, count FROM pruned) t
    GROUP BY status HAVING SUM(counter) <> SUM(minutes)`,
  'each sum of a minute equals its counts over all labels': `
    SELECT minute, status, CAST(SUM(total) AS BIGINT) AS total, CAST(SUM(count) AS BIGINT) AS counts FROM (
      SELECT m.minute, s.labels{json}->>'status' AS status, 0 AS total, m.count FROM minutes m
      JOIN series s ON s.id = m.series WHERE s.metric = 'transactions_total'
      UNION ALL SELECT minute, status, count, 0 FROM minute_totals) t
    GROUP BY minute, status HAVING SUM(total) <> SUM(count)`,
  'each count belongs to a series': `
    SELECT m.minute, m.series FROM minutes m LEFT JOIN series s ON s.id = m.series WHERE s.id IS NULL`,
  'no count is negative, and no counter is newer than the ledger': `
    SELECT id, metric, labels, value FROM series WHERE value < 0 OR changed > (SELECT MAX(commits) FROM ledger)
    UNION ALL SELECT series, 'minute', CAST(minute AS TEXT), count FROM minutes WHERE count < 0`,
  'no incident ends before it begins': 'SELECT id, starts_at, ends_at FROM incidents WHERE ends_at < starts_at',
};
const SHOWN = 10;

export interface Finding {
  check: string;
  /** Some of what is wrong; empty where all is well. */
  wrong: string[];
}

/** Lines in which SQLite says that its file is damaged. */
async function integrity({ query }: Snapshot): Promise<string[]> {
  const rows = await query(`PRAGMA integrity_check(${SHOWN})`);
  return rows.map((row) => String(row.integrity_check)).filter((line) => line !== 'ok');
}

/** Series of which metric or labels are not those that they were made with. */
async function renamed(snapshot: Snapshot): Promise<string[]> {
  const wrong: string[] = [];
  for await (const rows of rowsOf(snapshot, 'series', ['id']))
    for (const { id, hash, metric, labels } of rows)
      if (hash !== hashOf(metric, JSON.parse(String(labels)))) wrong.push(JSON.stringify({ id, metric, labels }));
  return wrong.slice(0, SHOWN);
}

/** Checks a ledger, which may be in use. @throws Error where it cannot be read at all */
export async function verifyLedger(place: string): Promise<{ name: string; findings: Finding[] }> {
  const snapshot = await openSnapshot(place);
  try {
    const findings: Finding[] = [];
    if (snapshot.dialect.hasIntegrityCheck)
      findings.push({ check: 'the file is whole (PRAGMA integrity_check)', wrong: await integrity(snapshot) });
    for (const [check, sql] of Object.entries(MUST_BE_EMPTY)) {
      const rows = await snapshot.query(`SELECT * FROM (${sql}) wrong LIMIT ${SHOWN}`);
      findings.push({ check, wrong: rows.map((row) => JSON.stringify(row)) });
    }
    findings.push({ check: 'each series has the labels that it was made with', wrong: await renamed(snapshot) });
    return { name: snapshot.name, findings };
  } finally {
    await snapshot.close();
  }
}
