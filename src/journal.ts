import { createHash } from 'node:crypto';
import { z } from 'zod';
import { WATCHDOG } from './alert-path.ts';
import type { Ledger } from './ledger/ledger.ts';

export const VERDICTS = ['incident', 'expected', 'false-alarm'] as const;

/** What an operator said of an incident. */
export interface Mark {
  verdict: (typeof VERDICTS)[number];
  by: string;
  comment: string;
  /** ISO 8601. */
  at: string;
}

/** One firing of one alert, from its first notification to its resolved one. Times are milliseconds since the epoch. */
export interface Incident {
  /** The same over restarts: made of the alert's fingerprint and start. */
  id: string;
  alertname: string;
  severity: string;
  /** Without alertname and severity. */
  labels: Record<string, string>;
  summary: string;
  startsAt: number;
  /** Null while it fires. */
  endsAt: number | null;
  mark: Mark | null;
}

const text = z.record(z.string(), z.string());
/** What of a notification makes incidents; the webhook's route checks the rest. */
const note = z.object({
  receivedAt: z.string(),
  alerts: z.array(
    z.object({
      status: z.string(),
      labels: text,
      annotations: text,
      startsAt: z.string(),
      endsAt: z.string(),
      fingerprint: z.string(),
    }),
  ),
});
type NotedAlert = z.output<typeof note>['alerts'][number];

/** As many as the ledger keeps notifications. */
const KEPT = 10_000;
/** What is read of the ledger at once. */
const PAGE = { limit: 1000, bytes: 4 * 1024 * 1024 };
const ALL_MARKS = { limit: KEPT, bytes: 64 * 1024 * 1024 };

interface Entry extends Omit<Incident, 'mark'> {
  fingerprint: string;
  /** When it was last known to fire. */
  seen: number;
}
interface Marked {
  incident: Entry;
  mark: Mark;
}

function entryOf({ labels: all, annotations, fingerprint, ...alert }: NotedAlert, seen: number): Entry {
  const { alertname = '', severity = '', ...labels } = all;
  const startsAt = Date.parse(alert.startsAt);
  const id = createHash('sha256').update(`${fingerprint} ${startsAt}`).digest('hex').slice(0, 16);
  const ends = alert.status === 'resolved' ? Date.parse(alert.endsAt) : Number.NaN;
  const endsAt = alert.status === 'resolved' ? Math.max(startsAt, Number.isNaN(ends) ? seen : ends) : null;
  return { id, fingerprint, alertname, severity, labels, summary: annotations.summary ?? '', startsAt, endsAt, seen };
}

/** `escalation` is on the second alert that tells that one which fires already is getting worse. */
const isIncident = ({ alertname, labels, startsAt }: Entry): boolean =>
  alertname !== WATCHDOG && labels.escalation === undefined && !Number.isNaN(startsAt);

/** Incidents by id, brought up to date from the notifications that have come since the last look. */
function follow(ledger: Ledger): () => Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  const newest = new Map<string, Entry>();
  let last = 0;
  function take(entry: Entry): void {
    const before = newest.get(entry.fingerprint);
    // Its resolved notification never came: it is known to have fired until it was last told of.
    if (before !== undefined && before.startsAt < entry.startsAt && before.endsAt === null)
      before.endsAt = Math.min(entry.startsAt, Math.max(before.seen, before.startsAt));
    if (before === undefined || before.startsAt <= entry.startsAt) newest.set(entry.fingerprint, entry);
    found.set(entry.id, entry);
  }
  function forget(): void {
    for (const [id, { fingerprint }] of found) {
      if (found.size <= KEPT) return;
      found.delete(id);
      if (newest.get(fingerprint)?.id === id) newest.delete(fingerprint);
    }
  }
  async function catchUp(): Promise<Map<string, Entry>> {
    for (;;) {
      const notifications = await ledger.notificationsAfter(last, PAGE);
      if (notifications.length === 0) return found;
      for (const { id, body } of notifications) {
        last = id;
        const { data } = note.safeParse(JSON.parse(body));
        const entries = data?.alerts.map((alert) => entryOf(alert, Date.parse(data.receivedAt))) ?? [];
        for (const entry of entries) if (isIncident(entry)) take(entry);
      }
      forget();
    }
  }
  // One after another: each goes on where the one before it has ended.
  let reading: Promise<unknown> = Promise.resolve();
  return () => {
    const read = reading.then(catchUp, catchUp);
    reading = read;
    return read;
  };
}

export interface Journal {
  /** Newest first. A marked incident stays, also when its notifications are no longer kept. */
  incidents(): Promise<Incident[]>;
  /** Finds the one that fires with exactly these labels, alertname and severity among them. */
  open(): Promise<(labels: Readonly<Record<string, string>>) => Incident | undefined>;
  /** Replaces what was said before; undefined where there is no such incident. @throws LedgerUnavailable */
  mark(id: string, mark: Mark): Promise<Incident | undefined>;
}

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value);

/** The incidents in a ledger's journal of notifications, and what people said of them. */
export function createJournal(ledger: Ledger): Journal {
  const noted = follow(ledger);
  async function all(): Promise<Map<string, Marked['incident'] & { mark: Mark | null }>> {
    const incidents = new Map([...(await noted())].map(([id, entry]) => [id, { ...entry, mark: null as Mark | null }]));
    const marks = (await ledger.marks(ALL_MARKS)).map(({ body }) => JSON.parse(body) as Marked);
    for (const { incident, mark } of marks)
      incidents.set(incident.id, { ...(incidents.get(incident.id) ?? incident), mark });
    return incidents;
  }
  const shown = ({ fingerprint: _, seen: __, ...incident }: Entry & { mark: Mark | null }): Incident => incident;
  return {
    incidents: async () => [...(await all()).values()].sort((a, b) => b.startsAt - a.startsAt).map(shown),
    async open() {
      const firing = [...(await noted()).values()].filter(({ endsAt }) => endsAt === null);
      return ({ alertname, severity = '', ...labels }) => {
        const found = firing.find(
          (entry) => entry.alertname === alertname && entry.severity === severity && sameLabels(entry.labels, labels),
        );
        return found && shown({ ...found, mark: null });
      };
    },
    async mark(id, mark) {
      const found = (await all()).get(id);
      if (found === undefined) return undefined;
      const { mark: _, ...incident } = found;
      await ledger.setMark({ id, body: JSON.stringify({ incident, mark } satisfies Marked) });
      return shown({ ...incident, mark });
    },
  };
}
