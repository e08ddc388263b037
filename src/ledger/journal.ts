import { isoOfMs } from '../domain/times.ts';
import type { Report } from '../intake/report.ts';
import { type Row, type Statement, storable } from './engine.ts';
import { type Slots, slotsOf } from './groups.ts';
import type {
  Change,
  ChangeQuery,
  IncidentQuery,
  Labels,
  ListedReport,
  Notification,
  Page,
  StoredIncident,
  StoredMark,
} from './ledger.ts';
import type { Changes } from './plan.ts';
import { inserting } from './schema.ts';

/** Reports that are kept to be looked at. */
const LISTED = 1000;
/**
 * At most so many notifications, incidents, marks and changes are kept, and so many bytes of each.
 */
const MOST = { rows: 10_000, bytes: 64 * 1024 * 1024 };

/**
 * Rows from a table in an order, until their number or the bytes of their texts are enough; at
 * least the first.
 */
const page = (
  columns: string,
  from: string,
  order: string,
  { limit, bytes }: Page,
  ...before: Statement[1][]
): Statement => {
  const [rows, most] = [`$${before.length + 1}`, `$${before.length + 2}`];
  return [
    `SELECT ${columns} FROM (SELECT ${columns}, SUM(bytes) OVER (ORDER BY ${order}) AS total,
       ROW_NUMBER() OVER (ORDER BY ${order}) AS place FROM (SELECT * FROM ${from} ORDER BY ${order} LIMIT ${rows}) t) p
     WHERE place = 1 OR total <= ${most} ORDER BY place`,
    ...before,
    limit,
    bytes,
  ];
};

/** Removes what comes after so many rows or bytes in an order. */
const beyond = (table: string, order: string): Statement => [
  `DELETE FROM ${table} WHERE id IN (SELECT p.id FROM (SELECT id, SUM(bytes) OVER (ORDER BY ${order}) AS total,
     ROW_NUMBER() OVER (ORDER BY ${order}) AS place FROM ${table}) p
   WHERE p.place > ${MOST.rows} OR (p.place > 1 AND p.total > ${MOST.bytes}))`,
];

const NEWEST = 'id DESC';
const addNotifications = inserting('notifications', ['received_at', 'bytes', 'body']);

export const notifications = {
  add: (body: string, now: number): Statement[] => [
    addNotifications([[now, Buffer.byteLength(body), body]]),
    beyond('notifications', NEWEST),
  ],
  newest: (size: Page) => page('id, body', 'notifications', NEWEST, size),
  of: ({ id, body }: Row): Notification => ({ id: Number(id), body: String(body) }),
};

const LATEST = 'starts_at DESC, id DESC';
/** Incidents that last or bear a mark are the last to go. */
const LEAST_NEEDED = `CASE WHEN ends_at IS NULL OR id IN (SELECT id FROM marks) THEN 0 ELSE 1 END, ${LATEST}`;
const INCIDENT = 'id, fingerprint, starts_at, ends_at, body, mark, acknowledged';
const MARKED = 'SELECT i.*, k.body AS mark FROM incidents i LEFT JOIN marks k ON k.id = i.id';

/**
 * Ends each incident that lasts and has a later one of the same fingerprint, at the time at which
 * that one begins. Nobody told of its end.
 */
const LATER =
  'SELECT MIN(n.starts_at) FROM incidents n WHERE n.fingerprint = incidents.fingerprint AND n.starts_at > incidents.starts_at';
const overtaken = (fingerprints: readonly string[]): Statement => [
  `UPDATE incidents SET ends_at = (${LATER}) WHERE ends_at IS NULL AND (${LATER}) IS NOT NULL
     AND fingerprint IN (SELECT r.value FROM {texts $1})`,
  JSON.stringify(fingerprints),
];

const addIncidents = inserting(
  'incidents',
  ['id', 'fingerprint', 'starts_at', 'ends_at', 'bytes', 'body'],
  `ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, starts_at = excluded.starts_at,
     ends_at = excluded.ends_at, bytes = excluded.bytes, body = excluded.body`,
);

export const incidents = {
  /** Adds or replaces incidents, no id twice. */
  tell(told: readonly StoredIncident[]): Statement[] {
    if (told.length === 0) return [];
    return [
      addIncidents(
        told.map(({ id, fingerprint, startsAt, endsAt, body }) => [
          id,
          fingerprint,
          startsAt,
          endsAt,
          Buffer.byteLength(body),
          body,
        ]),
      ),
      overtaken(told.map(({ fingerprint }) => storable(fingerprint))),
      beyond('incidents', LEAST_NEEDED),
    ];
  },
  end: (ends: readonly { id: string; endsAt: number }[]): Statement[] => [
    [
      `UPDATE incidents SET ends_at = CAST(r.value->>1 AS BIGINT) FROM {rows $1}
       WHERE incidents.id = r.value->>0 AND incidents.ends_at IS NULL`,
      JSON.stringify(ends.map(({ id, endsAt }) => [storable(id), endsAt])),
    ],
  ],
  list({ open = false, marked = false, before, ...size }: IncidentQuery): Statement {
    const only = `${open ? ' AND i.ends_at IS NULL' : ''}${marked ? ' AND k.id IS NOT NULL' : ''}`;
    const from = `(${MARKED} WHERE (i.starts_at, i.id) < ($1, $2)${only}) t`;
    return page(INCIDENT, from, LATEST, size, before?.startsAt ?? Number.MAX_SAFE_INTEGER, before?.id ?? '');
  },
  one: (id: string): Statement => [`SELECT * FROM (${MARKED}) t WHERE id = $1`, storable(id)],
  acknowledge: ({ id, body }: StoredMark): Statement[] => [
    ['UPDATE incidents SET acknowledged = $1 WHERE id = $2 AND ends_at IS NULL', storable(body), storable(id)],
  ],
  of: ({ id, fingerprint, starts_at, ends_at, body, mark, acknowledged }: Row): StoredIncident => ({
    id: String(id),
    fingerprint: String(fingerprint),
    startsAt: Number(starts_at),
    endsAt: ends_at === null ? null : Number(ends_at),
    body: String(body),
    ...(mark !== null && { mark: String(mark) }),
    ...(acknowledged !== null && { acknowledged: String(acknowledged) }),
  }),
};

const setMarks = inserting(
  'marks',
  ['id', 'marked_at', 'bytes', 'body'],
  'ON CONFLICT (id) DO UPDATE SET marked_at = excluded.marked_at, bytes = excluded.bytes, body = excluded.body',
);

export const setMark = ({ id, body }: StoredMark, now: number): Statement[] => [
  setMarks([[id, now, Buffer.byteLength(body), body]]),
  beyond('marks', 'marked_at DESC, id'),
];

const addChanges = inserting('changes', ['at', 'bytes', 'text', 'made_by']);

export const changes = {
  add: ({ at, text, by }: Change): Statement[] => [
    addChanges([[at, Buffer.byteLength(text + by), text, by]]),
    beyond('changes', 'at DESC, id DESC'),
  ],
  list: ({ from, to, limit }: ChangeQuery): Statement => [
    'SELECT at, text, made_by FROM changes WHERE at BETWEEN $1 AND $2 ORDER BY at DESC, id DESC LIMIT $3',
    from,
    to,
    limit,
  ],
  of: ({ at, text, made_by }: Row): Change => ({ at: Number(at), text: String(text), by: String(made_by) }),
};

type Listing = [time: number, receivedAt: number, late: boolean, source: string, labels: Labels, slots: Slots];

const listing = ({ report, late, now }: Changes['reports'][number]): Listing => {
  const { time, source, labels, entries } = report;
  return [time, now, late, source, labels, slotsOf(entries)];
};

/** Reports of one commit are one row, whose number is that of the last of them. */
export const latestReports = {
  add: (reports: Changes['reports']): Statement => [
    'INSERT INTO reports (id, reports) SELECT COALESCE(MAX(id), 0) + $1, $2 FROM reports',
    reports.length,
    JSON.stringify(reports.slice(-LISTED).map(listing)),
  ],
  prune: [`DELETE FROM reports WHERE id <= (SELECT MAX(id) FROM reports) - ${LISTED}`] satisfies Statement,
  list: (limit: number): Statement => ['SELECT reports FROM reports ORDER BY id DESC LIMIT $1', limit],
  of: ({ reports }: Row): ListedReport[] => (JSON.parse(String(reports)) as Listing[]).map(readable).reverse(),
};

/** A report that was just received, as it will be listed. */
export const listed = (report: Report, late: boolean, now: number): ListedReport =>
  readable(listing({ report, late, now }));

function readable([time, receivedAt, late, source, labels, slots]: Listing): ListedReport {
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
  };
}
