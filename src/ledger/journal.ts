import type { Report } from '../intake/report.ts';
import { type Row, type Statement, storable } from './engine.ts';
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
import { type Changes, type Slots, slotsOf } from './plan.ts';

/** How many notifications, incidents, marks and changes are kept, and how many bytes of each. */
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
  const at = before.length;
  return [
    `SELECT ${columns} FROM (SELECT ${columns}, SUM(bytes) OVER (ORDER BY ${order}) AS total,
       ROW_NUMBER() OVER (ORDER BY ${order}) AS place FROM (SELECT * FROM ${from} ORDER BY ${order} LIMIT CAST($${at + 1} AS INTEGER)) t) p
     WHERE place = 1 OR total <= CAST($${at + 2} AS BIGINT) ORDER BY place`,
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
const notification = ({ id, body }: Row): Notification => ({ id: Number(id), body: String(body) });

export const notifications = {
  add: (body: string, now: number): Statement[] => [
    [
      'INSERT INTO notifications (received_at, bytes, body) VALUES (CAST($1 AS BIGINT), CAST($2 AS INTEGER), $3)',
      now,
      Buffer.byteLength(body),
      body,
    ],
    beyond('notifications', NEWEST),
  ],
  newest: (size: Page) => page('id, body', 'notifications', NEWEST, size),
  of: notification,
};

const LATEST = 'starts_at DESC, id DESC';
/** Incidents that last or bear a mark are the last to go. */
const LEAST_NEEDED = `CASE WHEN ends_at IS NULL OR id IN (SELECT id FROM marks) THEN 0 ELSE 1 END, ${LATEST}`;
const INCIDENT = 'id, fingerprint, starts_at, ends_at, body, mark, acknowledged';
const MARKED = 'SELECT i.*, k.body AS mark FROM incidents i LEFT JOIN marks k ON k.id = i.id';

/**
 * Ends those that last and have a later one of the same fingerprint: where that one begins. Their
 * ends were not told of.
 */
const LATER =
  'SELECT MIN(n.starts_at) FROM incidents n WHERE n.fingerprint = incidents.fingerprint AND n.starts_at > incidents.starts_at';
const overtaken = (fingerprints: readonly string[]): Statement => [
  `UPDATE incidents SET ends_at = (${LATER}) WHERE ends_at IS NULL AND (${LATER}) IS NOT NULL
     AND fingerprint IN (SELECT r.value->>0 FROM {rows $1})`,
  JSON.stringify(fingerprints.map((fingerprint) => [fingerprint])),
];

export const incidents = {
  /** Adds or replaces incidents, no id twice. */
  tell(told: readonly StoredIncident[]): Statement[] {
    if (told.length === 0) return [];
    const rows = told.map(({ id, fingerprint, startsAt, endsAt, body }) => [
      storable(id),
      storable(fingerprint),
      startsAt,
      endsAt,
      Buffer.byteLength(body),
      storable(body),
    ]);
    return [
      [
        `INSERT INTO incidents (id, fingerprint, starts_at, ends_at, bytes, body)
         SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT), CAST(r.value->>3 AS BIGINT),
           CAST(r.value->>4 AS INTEGER), r.value->>5 FROM {rows $1} WHERE true
         ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, starts_at = excluded.starts_at,
           ends_at = excluded.ends_at, bytes = excluded.bytes, body = excluded.body`,
        JSON.stringify(rows),
      ],
      overtaken(rows.map(([, fingerprint]) => String(fingerprint))),
      beyond('incidents', LEAST_NEEDED),
    ];
  },
  end: (ends: readonly { id: string; endsAt: number }[]): Statement[] => [
    [
      `UPDATE incidents SET ends_at = CAST(r.value->>1 AS BIGINT) FROM {rows $1}
       WHERE incidents.id = r.value->>0 AND incidents.ends_at IS NULL`,
      JSON.stringify(ends.map(({ id, endsAt }) => [id, endsAt])),
    ],
  ],
  list({ open = false, marked = false, before, ...size }: IncidentQuery): Statement {
    const only = `${open ? ' AND i.ends_at IS NULL' : ''}${marked ? ' AND k.id IS NOT NULL' : ''}`;
    const from = `(${MARKED} WHERE (i.starts_at, i.id) < (CAST($1 AS BIGINT), $2)${only}) t`;
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

export const marks = {
  set: ({ id, body }: StoredMark, now: number): Statement[] => [
    [
      `INSERT INTO marks (id, marked_at, bytes, body) VALUES ($1, CAST($2 AS BIGINT), CAST($3 AS INTEGER), $4)
       ON CONFLICT (id) DO UPDATE SET marked_at = excluded.marked_at, bytes = excluded.bytes, body = excluded.body`,
      storable(id),
      now,
      Buffer.byteLength(body),
      body,
    ],
    beyond('marks', 'marked_at DESC, id'),
  ],
};

export const changes = {
  add: ({ at, text, by }: Change): Statement[] => [
    [
      'INSERT INTO changes (at, bytes, text, made_by) VALUES (CAST($1 AS BIGINT), CAST($2 AS INTEGER), $3, $4)',
      at,
      Buffer.byteLength(text) + Buffer.byteLength(by),
      storable(text),
      storable(by),
    ],
    beyond('changes', 'at DESC, id DESC'),
  ],
  list: ({ from, to, limit }: ChangeQuery): Statement => [
    `SELECT at, text, made_by FROM changes WHERE at >= CAST($1 AS BIGINT) AND at <= CAST($2 AS BIGINT)
     ORDER BY at DESC, id DESC LIMIT CAST($3 AS INTEGER)`,
    from,
    to,
    limit,
  ],
  of: ({ at, text, made_by }: Row): Change => ({ at: Number(at), text: String(text), by: String(made_by) }),
};

export const latestReports = (limit: number): Statement => [
  'SELECT report FROM reports ORDER BY id DESC LIMIT CAST($1 AS INTEGER)',
  limit,
];

type Listing = [time: number, receivedAt: number, late: 0 | 1, source: string, labels: string, slots: Slots];

/** A report as it is kept to be listed. */
export const listing = ({ report, late, now }: Changes['reports'][number]): Listing => {
  const { time, source, labels, entries } = report;
  return [time, now, late ? 1 : 0, storable(source), JSON.stringify(labels), slotsOf(entries)];
};

/** A row of `latestReports`, as people read it. */
export const readable = ({ report }: Row): ListedReport => {
  const [time, receivedAt, late, source, labels, slots] = JSON.parse(String(report)) as Listing;
  return describe(time, source, JSON.parse(labels), slots, late === 1, receivedAt);
};

/** A report that was just received, as `latestReports` will list it. */
export const listed = ({ time, source, labels, entries }: Report, late: boolean, now: number): ListedReport =>
  describe(time, source, labels, slotsOf(entries), late, now);

function describe(
  time: number,
  source: string,
  labels: Labels,
  slots: Slots,
  late: boolean,
  receivedAt: number,
): ListedReport {
  const counts: Record<string, number> = {};
  const authCodes: Record<string, number> = {};
  for (const [slot, count] of Object.entries(slots)) {
    const [status, code] = slot.startsWith('#') ? [undefined, slot.slice(1)] : slot.split('/');
    if (status !== undefined) counts[status] = count;
    if (code !== undefined) authCodes[code] = count;
  }
  return {
    timestamp: new Date(time).toISOString(),
    receivedAt: new Date(receivedAt).toISOString(),
    source: source === '' ? undefined : source,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    counts,
    authCodes,
    late,
  };
}
