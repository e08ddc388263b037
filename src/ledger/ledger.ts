import type { Status } from '../domain/names.ts';
import type { Report } from '../intake/report.ts';

export type Labels = Readonly<Record<string, string>>;
export type Counts = Partial<Record<Status, number>>;

/** The message says whether something may have been counted. HTTP answers 503. */
export class LedgerUnavailable extends Error {
  override name = 'LedgerUnavailable';
}

/** A report that contradicts what was recorded before. HTTP answers 409. */
export class Conflict extends Error {
  override name = 'Conflict';
  /** The field that contradicts. */
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** An idempotency key that came before with another body. HTTP answers 409. */
export class KeyReused extends Error {
  override name = 'KeyReused';
}

/** An idempotency key, which belongs to the token that sent it. */
export interface Key {
  key: string;
  /** The same for the same body. */
  fingerprint: string;
}

/** The answer that a sender gets. */
export interface Answer {
  /** Kept with the key, for those who send it again. */
  text: string;
  /** Kept with the reports. */
  recommendation: string;
}

export interface RecordOptions {
  key?: Key | undefined;
  /** The hash of the sender's token, if one is asked for: keys and event ids are its own. */
  token?: string | undefined;
  /** Milliseconds since the epoch. */
  now: number;
  /** Makes the answer, before it is committed. */
  answer(recorded: Recorded): Answer;
}

/** The result of one report. */
export interface Outcome {
  /** `correction` raised counts that were recorded; `duplicate` changed nothing. */
  result: 'accepted' | 'correction' | 'duplicate';
  /** It is too old and was counted in transactions_late_total. Never true of a duplicate. */
  late: boolean;
}

/** A minute as all sources together have reported it so far. */
export interface MinuteCounts {
  /** Its start, in seconds since the epoch. */
  minute: number;
  /** The labels under which it was counted; none: the total over all labels. */
  labels: Labels;
  counts: Counts;
  /** The minute before, and the one before that. */
  previous: Counts;
  earlier: Counts;
}

export interface Recorded {
  /** One for each report, in the order of the reports. */
  outcomes: Outcome[];
  /** Each minute that a report in time names: in total, then under the report's labels. */
  minutes: MinuteCounts[];
  /** The same key and body came before: there is nothing but the answer of then. */
  replayed: boolean;
  answer: Answer;
  /** Reports of which a label value became "other". */
  overflowed: number;
}

/** A counter. */
export interface Series {
  /** As text: `{status="denied"}`. */
  readonly labels: string;
  readonly value: number;
  /** When it was made, in milliseconds since the epoch. */
  readonly created: number;
}

/** Series of one metric that are exposed together. */
export interface Chunk {
  readonly series: readonly Series[];
  /** What a reader made of them, by the form; dropped when one of their values changes. */
  rendered: { plain?: Buffer; withStarts?: Buffer };
}

export interface Totals {
  chunks(metric: string): readonly Chunk[];
  size: number;
  /** The identity of the ledger, which all services that share it have in common. */
  ledger: string;
  /** Sums of the newest minute that has ended and was reported. */
  lastMinute: Counts;
  /** When the newest report in time was counted, in seconds since the epoch, or 0. */
  lastReport: number;
}

/** A report as people read it. */
export interface ListedReport {
  timestamp: string;
  receivedAt: string;
  source?: string | undefined;
  labels?: Labels | undefined;
  counts: Record<string, number>;
  authCodes: Record<string, number>;
  late: boolean;
  /** It raised counts that were recorded before. */
  correction?: boolean | undefined;
  /** What its sender was told. */
  recommendation?: string | undefined;
}

/** Limits of one read: rows, and bytes of their texts. The first row may be larger. */
export interface Page {
  limit: number;
  bytes: number;
}

export interface Notification {
  /** Numbers grow with the order of arrival. */
  id: number;
  /** JSON. */
  body: string;
}

export interface StoredIncident {
  id: string;
  /** The same for all incidents of one alert with one set of labels. */
  fingerprint: string;
  /** Milliseconds since the epoch; `endsAt` is null while it lasts. */
  startsAt: number;
  endsAt: number | null;
  /** JSON: all else that there is to say of it. */
  body: string;
  /** JSON: what people said of it; undefined where nobody has. */
  mark?: string | undefined;
  /** JSON: who looks after it; undefined where nobody said so. */
  acknowledged?: string | undefined;
}

export interface IncidentQuery extends Page {
  /** Only those that still last. */
  open?: boolean | undefined;
  /** Only those of which people said something. */
  marked?: boolean | undefined;
  /** Only those that come after this one in the list. */
  before?: Pick<StoredIncident, 'id' | 'startsAt'> | undefined;
}

/** Something that people changed, such as a deployment, to be shown beside what happened then. */
export interface Change {
  /** Milliseconds since the epoch. */
  at: number;
  text: string;
  /** Who says so; empty where nobody is named. */
  by: string;
}

export interface ChangeQuery {
  /** Milliseconds since the epoch, both included. */
  from: number;
  to: number;
  limit: number;
}

/**
 * Everything that must last. Several services may work on one ledger at once: what each promises
 * holds over all of them. A promise resolves when what it did is committed: on disk, or in
 * PostgreSQL. It settles within a deadline. Every function rejects with LedgerUnavailable where the
 * ledger cannot be written or read.
 */
export interface Ledger {
  /**
   * Records all reports of a body or, where it rejects, none of them. A key that came before gets
   * the answer of then. A report with source, time and counts that came before is a duplicate, or a
   * correction where a count is larger. Rows of one body that name the same count are added up
   * first.
   * @throws Conflict where a count is smaller than what was recorded; KeyReused where the key came
   *   with another body
   */
  record(reports: readonly Report[], options: RecordOptions): Promise<Recorded>;
  /** The committed totals, never older than the call. `now` is in milliseconds. */
  totals(now: number): Promise<Totals>;
  /** The newest reports, newest first. */
  latestReports(limit: number): Promise<ListedReport[]>;
  /**
   * Adds a notification (JSON), and adds the incidents that it tells of or replaces those of the
   * same ids. One that lasts ends where the next of its fingerprint begins. The oldest
   * notifications go when there are too many of them or too many bytes; of incidents, the oldest
   * that have ended and bear no mark go first.
   */
  addNotification(body: string, incidents?: readonly StoredIncident[]): Promise<void>;
  /** Keeps incidents of which no notification tells, as `addNotification` does. */
  addIncidents(incidents: readonly StoredIncident[]): Promise<void>;
  /** The newest notifications, newest first. */
  notifications(page: Page): Promise<Notification[]>;
  /** Ends incidents that last; one that has ended stays as it is. Milliseconds since the epoch. */
  endIncidents(ends: readonly { id: string; endsAt: number }[]): Promise<void>;
  /** Incidents, the latest to begin first. */
  incidents(query: IncidentQuery): Promise<StoredIncident[]>;
  incident(id: string): Promise<StoredIncident | undefined>;
  /** Keeps what people said of an incident (JSON), in place of what they said before. */
  setMark(id: string, body: string): Promise<void>;
  /** Keeps who looks after an incident (JSON), in place of who did; not of one that has ended. */
  acknowledge(id: string, body: string): Promise<void>;
  /** Keeps a change; the oldest go when there are too many. */
  addChange(change: Change): Promise<void>;
  /** Changes, the latest first. */
  changes(query: ChangeQuery): Promise<Change[]>;
  /** Says why the newest commit failed; undefined where it did not. */
  failure(): string | undefined;
  /** Durations of the commits since the last call, in seconds. */
  takeCommitTimes(): number[];
  /** Requests that wait for a commit. */
  waiting(): number;
  /** Commits what waits, then closes. Rejects where that could not be committed. */
  close(): Promise<void>;
}
