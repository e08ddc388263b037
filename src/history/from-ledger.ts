import type { MinuteCounts } from '../domain/minutes.ts';
import { METRIC, type Status } from '../domain/names.ts';
import type { Row } from '../ledger/engine.ts';
import type { Labels } from '../ledger/ledger.ts';
import { rowsOf, type Snapshot } from '../ledger/tools/store.ts';

/** One count of a minute. */
export interface Counted {
  /** Seconds since the epoch. */
  minute: number;
  labels: Labels;
  count: number;
}

const COUNTS = `(SELECT m.minute, m.series, m.count, s.metric, s.labels FROM minutes m JOIN series s ON s.id = m.series) t`;
const countedOf = ({ minute, labels, count }: Row): Counted => ({
  minute: Number(minute),
  labels: JSON.parse(String(labels)),
  count: Number(count),
});

/** Counts by minute of one metric, in order of time, in parts. */
export async function* countsOf(snapshot: Snapshot, metric: string): AsyncGenerator<Counted[]> {
  for await (const rows of rowsOf(snapshot, COUNTS, ['minute', 'series'], `metric = '${metric}'`))
    yield rows.map(countedOf);
}

/** Names of the labels that counts have besides status or auth code. */
export async function dimensionsOf(snapshot: Snapshot, metric: string): Promise<string[]> {
  const rows = await snapshot.query('SELECT labels FROM series WHERE metric = $1', metric);
  const names = new Set(rows.flatMap(({ labels }) => Object.keys(JSON.parse(String(labels)))));
  for (const own of ['status', 'auth_code']) names.delete(own);
  return [...names].sort();
}

/** The counts of one minute, by their labels. */
function createMinute(minute: number) {
  const counts: Partial<Record<Status, number>> = {};
  const authCodes: Record<string, number> = {};
  const labelled = new Map<string, NonNullable<MinuteCounts['labelled']>[number]>();
  return {
    minute,
    add(metric: string, { labels: { status, auth_code, ...labels }, count }: Counted): void {
      if (metric === METRIC.authCodes) authCodes[String(auth_code)] = count;
      else if (Object.keys(labels).length === 0) counts[status as Status] = count;
      else {
        const key = JSON.stringify(labels);
        const under = labelled.get(key) ?? { labels, counts: {} };
        labelled.set(key, under);
        Object.assign(under.counts ?? {}, { [String(status)]: count });
      }
    },
    done: (): MinuteCounts => ({ minute, counts, authCodes, labelled: [...labelled.values()] }),
  };
}

/**
 * The end of the last minute that ended before `until`, both in seconds since the epoch; undefined
 * where there is none.
 */
export async function endOfLastMinute(snapshot: Snapshot, until: number): Promise<number | undefined> {
  const [row] = await snapshot.query(
    'SELECT MAX(minute) AS last FROM minutes WHERE minute <= $1',
    Math.floor(until) - 60,
  );
  return row === undefined || row.last === null ? undefined : Number(row.last) + 60;
}

/**
 * The ledger's counts of each minute that ended before `until` (seconds since the epoch), in order
 * of time.
 */
export async function* ledgerMinutes(snapshot: Snapshot, until: number): AsyncGenerator<MinuteCounts> {
  const metrics = `metric IN ('${METRIC.transactions}', '${METRIC.authCodes}') AND minute <= ${Math.floor(until) - 60}`;
  let current: ReturnType<typeof createMinute> | undefined;
  for await (const rows of rowsOf(snapshot, COUNTS, ['minute', 'series'], metrics))
    for (const row of rows) {
      const counted = countedOf(row);
      const minute = counted.minute / 60;
      if (current?.minute !== minute) {
        if (current !== undefined) yield current.done();
        current = createMinute(minute);
      }
      current.add(String(row.metric), counted);
    }
  if (current !== undefined) yield current.done();
}
