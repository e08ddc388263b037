import { isoOfMs } from '../domain/times.ts';
import { type Row, type Statement, storable, type Value } from './engine.ts';
import type { Change, Labels, Ledger, ListedReport, Page, StoredIncident } from './ledger.ts';
import { type Listed, type Slots, slotsOf } from './plan.ts';
import { inserting } from './schema.ts';

/** Reports that are kept to be looked at. */
const LISTED = 1000;
/** Of notifications, incidents and changes, so many each are kept, of so many bytes. */
const MOST = { rows: 10_000, bytes: 64 * 1024 * 1024 };

/** Rows in an order, each with its place and the bytes of all rows up to it. */
const inOrder = (columns: string, from: string, order: string) =>
  `(SELECT ${columns}, SUM(bytes) OVER (ORDER BY ${order}) AS total,
     ROW_NUMBER() OVER (ORDER BY ${order}) AS place FROM ${from}) p`;

/**
 * Columns of a table's rows in an order, until their number or the bytes of their texts are enough.
 * `from` holds the id, the bytes and what the order needs. Texts are read of those rows only, and
 * not put in order by SQLite, which would write all of them to a file first: `inPlaces` does so.
 */
function page(columns: string, table: string, from: string, order: string, size: Page, ...before: Value[]): Statement {
  const [rows, most] = [`$${before.length + 1}`, `$${before.length + 2}`];
  const first = `(${from} ORDER BY ${order} LIMIT ${rows}) t`;
  const sql = `SELECT place, ${columns} FROM ${inOrder('id', first, order)} JOIN ${table} USING (id)
    WHERE place = 1 OR total <= ${most}`;
  return [sql, ...before, size.limit, size.bytes];
}

const inPlaces = (rows: readonly Row[]) => rows.toSorted((a, b) => Number(a.place) - Number(b.place));

/** Removes what comes after so many rows or bytes in an order. */
const beyond = (table: string, order: string): Statement => [
  `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${inOrder('id', table, order)}
   WHERE place > ${MOST.rows} OR (place > 1 AND total > ${MOST.bytes}))`,
];

const NEWEST = 'id DESC';
const addNotifications = inserting('notifications', ['received_at', 'bytes', 'body']);

const LATEST = 'starts_at DESC, id DESC';
/** Incidents that last or bear a mark are the last to go. */
const LEAST_NEEDED = `CASE WHEN ends_at IS NULL OR mark IS NOT NULL THEN 0 ELSE 1 END, ${LATEST}`;
const INCIDENT = 'id, fingerprint, starts_at, ends_at, body, mark, acknowledged';

const addIncidents = inserting(
  'incidents',
  ['id', 'fingerprint', 'starts_at', 'ends_at', 'bytes', 'body'],
  `ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, starts_at = excluded.starts_at,
     ends_at = excluded.ends_at, bytes = excluded.bytes, body = excluded.body`,
);

const LATER =
  'SELECT MIN(n.starts_at) FROM incidents n WHERE n.fingerprint = incidents.fingerprint AND n.starts_at > incidents.starts_at';
/**
 * Ends each incident that lasts and has a later one of the same fingerprint, at the time at which
 * that one begins. Nobody told of its end.
 */
const endOvertaken = `UPDATE incidents SET ends_at = (${LATER}) WHERE ends_at IS NULL AND (${LATER}) IS NOT NULL
  AND fingerprint IN (SELECT r.value FROM {texts})`;

/** Adds or replaces incidents, no id twice. */
const tell = (told: readonly StoredIncident[]): Statement[] => [
  ...addIncidents(
    told.map(({ id, fingerprint, startsAt, endsAt, body }) => {
      return [id, fingerprint, startsAt, endsAt, Buffer.byteLength(body), body];
    }),
  ),
  [endOvertaken, JSON.stringify(told.map(({ fingerprint }) => storable(fingerprint)))],
  beyond('incidents', LEAST_NEEDED),
];

const END = `UPDATE incidents SET ends_at = CAST(r.value->>1 AS BIGINT) FROM {rows}
  WHERE incidents.id = r.value->>0 AND incidents.ends_at IS NULL`;

/** An incident out of its row. */
export const incidentOf = ({ id, fingerprint, starts_at, ends_at, body, mark, acknowledged }: Row): StoredIncident => ({
  id: String(id),
  fingerprint: String(fingerprint),
  startsAt: Number(starts_at),
  endsAt: ends_at === null ? null : Number(ends_at),
  body: String(body),
  ...(mark !== null && { mark: String(mark) }),
  ...(acknowledged !== null && { acknowledged: String(acknowledged) }),
});

const addChanges = inserting('changes', ['at', 'bytes', 'text', 'made_by']);
const CHANGES = `SELECT at, text, made_by AS "by" FROM changes WHERE at BETWEEN $1 AND $2
  ORDER BY at DESC, id DESC LIMIT $3`;

type Listing = [
  time: number,
  receivedAt: number,
  late: boolean,
  source: string,
  labels: Labels,
  slots: Slots,
  // Rows of older versions lack what follows.
  correction?: boolean,
  recommendation?: string,
];

const listing = ({ report, outcome, now, recommendation }: Listed): Listing => {
  const { time, source, labels, entries } = report;
  return [time, now, outcome.late, source, labels, slotsOf(entries), outcome.result === 'correction', recommendation];
};

/** Keeps reports of one commit as one row, whose number is that of the last of them. */
export const addReports = (reports: readonly Listed[]): Statement => [
  'INSERT INTO reports (id, reports) SELECT COALESCE(MAX(id), 0) + $1, $2 FROM reports',
  reports.length,
  JSON.stringify(reports.slice(-LISTED).map(listing)),
];
export const PRUNE_REPORTS: Statement = [`DELETE FROM reports WHERE id <= (SELECT MAX(id) FROM reports) - ${LISTED}`];

/** A report that was just received, as it will be listed. */
export const listed = (one: Listed): ListedReport => readable(listing(one));

function readable([time, receivedAt, late, source, labels, slots, correction, recommendation]: Listing): ListedReport {
  const counts: Record<string, number> = {};
  const authCodes: Record<string, number> = {};
  for (const [slot, count] of Object.entries(slots)) {
    const [status, code] = slot.startsWith('#') ? [undefined, slot.slice(1)] : slot.split('/');
    if (status !== undefined) counts[status] = count;
    if (code !== undefined) authCodes[code] = count;
  }
  return {
    timestamp: isoOfMs(time),
    receivedAt: isoOfMs(receivedAt),
    source: source === '' ? undefined : source,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    counts,
    authCodes,
    late,
    correction,
    recommendation,
  };
}

type Journal = Omit<Ledger, 'record' | 'totals' | 'failure' | 'takeCommitTimes' | 'waiting' | 'close'>;

/** All that the ledger keeps beside counts. */
export function createJournal(
  write: (statements: readonly Statement[]) => Promise<void>,
  rows: (statement: Statement) => Promise<Row[]>,
): Journal {
  return {
    async latestReports(limit) {
      const newest = await rows(['SELECT reports FROM reports ORDER BY id DESC LIMIT $1', limit]);
      const listings = newest.flatMap(({ reports }) => (JSON.parse(String(reports)) as Listing[]).reverse());
      return listings.slice(0, limit).map(readable);
    },
    addNotification: (body, told = []) =>
      write([
        ...addNotifications([[Date.now(), Buffer.byteLength(body), body]]),
        beyond('notifications', NEWEST),
        ...(told.length > 0 ? tell(told) : []),
      ]),
    addIncidents: (told) => write(tell(told)),
    async notifications(size) {
      const found = await rows(page('id, body', 'notifications', 'SELECT id, bytes FROM notifications', NEWEST, size));
      return inPlaces(found).map(({ id, body }) => ({ id: Number(id), body: String(body) }));
    },
    endIncidents: (ends) => write([[END, JSON.stringify(ends.map(({ id, endsAt }) => [storable(id), endsAt]))]]),
    async incidents({ open = false, marked = false, before, ...size }) {
      const only = `${open ? ' AND ends_at IS NULL' : ''}${marked ? ' AND mark IS NOT NULL' : ''}`;
      const from = `SELECT id, bytes, starts_at FROM incidents WHERE (starts_at, id) < ($1, $2)${only}`;
      const [startsAt, id] = [before?.startsAt ?? Number.MAX_SAFE_INTEGER, before?.id ?? ''];
      return inPlaces(await rows(page(INCIDENT, 'incidents', from, LATEST, size, startsAt, id))).map(incidentOf);
    },
    incident: async (id) => (await rows(['SELECT * FROM incidents WHERE id = $1', storable(id)])).map(incidentOf)[0],
    setMark: (id, body) => write([['UPDATE incidents SET mark = $1 WHERE id = $2', storable(body), storable(id)]]),
    acknowledge: (id, body) =>
      write([
        ['UPDATE incidents SET acknowledged = $1 WHERE id = $2 AND ends_at IS NULL', storable(body), storable(id)],
      ]),
    addChange: ({ at, text, by }) =>
      write([...addChanges([[at, Buffer.byteLength(text + by), text, by]]), beyond('changes', 'at DESC, id DESC')]),
    changes: async ({ from, to, limit }) => (await rows([CHANGES, from, to, limit])) as unknown as Change[],
  };
}
