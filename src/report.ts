import { z } from 'zod';
import { STATUSES, type Status } from './names.ts';
import { parseTime } from './parse-time.ts';

/** One number out of a report. `status` adds to the transactions, `code` to the auth codes, both when both are known. */
export interface Entry {
  /** Identifies the number within its report, so that a repeat of it is recognised. */
  slot: string;
  status?: Status;
  code?: string;
  count: number;
}

/** A report as the ledger takes it, whatever body it came in. */
export interface Report {
  /** What the counts are of, in milliseconds since the epoch. */
  time: number;
  /** Start of that minute, in seconds since the epoch. */
  minute: number;
  source: string;
  /** Extra labels, in the order of their names. */
  labels: Readonly<Record<string, string>>;
  /** Named its source and its time: the same again is a repeat or a correction, not more transactions. */
  identified: boolean;
  entries: Entry[];
}

export interface FieldError {
  /** Dotted path into the body, empty for the body itself. */
  path: string;
  message: string;
}

export type Parsed = { ok: true; reports: Report[] } | { ok: false; errors: FieldError[] };

export const MAX_REPORTS = 10_000;
const MAX_ERRORS = 20;
const FUTURE_MS = 5 * 60_000;

/** What is wrong with a number as a count of transactions. */
function wrongCount(n: number): string | undefined {
  if (!Number.isInteger(n)) return 'must be a whole number, not a fraction';
  if (n < 0) return 'must not be negative';
  return Number.isSafeInteger(n) ? undefined : `must not exceed ${Number.MAX_SAFE_INTEGER}`;
}

const count = z
  .number({ error: 'must be a whole number of transactions' })
  // One check: each costs as much as reading a number.
  .refine((n) => wrongCount(n) === undefined, { error: ({ input }) => wrongCount(input as number) })
  .meta({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Number of transactions' });

const timestamp = z
  .string({ error: 'must be a time in a string' })
  .refine((text) => !Number.isNaN(parseTime(text)), {
    error: 'must be a time such as 2026-11-21T12:31:00Z or 2026-11-21 12:31:00',
  })
  .meta({ description: 'The minute that the counts are of; UTC unless an offset is given; now when left out' });

const status = z.enum(STATUSES, { error: `must be one of ${STATUSES.join(', ')}` }).meta({ id: 'Status' });
const source = z
  .string({ error: 'must be a string' })
  .min(1, 'must not be empty')
  .max(200, 'must not be longer than 200 characters')
  .meta({ description: 'Who reports; with a timestamp it makes a retry count once' });
const authCode = z
  .string({ error: 'must be a string such as "51"' })
  .regex(/^[0-9A-Za-z]{1,8}$/, 'must be 1 to 8 letters or digits');
const labels = z.record(
  z.string(),
  z
    .string({ error: 'must be a string' })
    .min(1, 'must not be empty')
    .max(200, 'must not be longer than 200 characters')
    // A lone surrogate has no UTF-8 form, so it could not be exposed to Prometheus.
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode'),
  { error: 'must be an object of label names and values' },
);

export const minuteReport = z
  .strictObject({
    timestamp: timestamp.optional(),
    source: source.optional(),
    counts: z
      .strictObject(Object.fromEntries(STATUSES.map((name) => [name, count.optional()])), {
        error: (issue) => (issue.code === 'invalid_type' ? 'must be an object of statuses and counts' : undefined),
      })
      .refine((counts) => Object.keys(counts).length > 0, 'must name at least one status'),
    authCodes: z.record(authCode, count, { error: authCodesError }).optional(),
    labels: labels.optional(),
  })
  .meta({ id: 'MinuteReport', description: 'The counts of one minute, by status' });

export const event = z
  .strictObject({
    timestamp: timestamp.optional(),
    source: source.optional(),
    status,
    count: count.optional().meta({ description: 'Number of transactions, 1 when left out' }),
    auth_code: authCode.optional(),
    labels: labels.optional(),
  })
  .meta({ id: 'Event', description: 'The count of one status, or one transaction' });

export const exportRow = z
  .strictObject({
    time: timestamp.optional(),
    source: source.optional(),
    status,
    F1: count,
    auth_code: authCode.optional(),
    labels: labels.optional(),
  })
  .meta({ id: 'ExportRow', description: 'A row of a database export: time, status and F1, the count' });

function authCodesError(issue: { code: string }): string {
  return issue.code === 'invalid_key'
    ? 'must be 1 to 8 letters or digits'
    : 'must be an object of auth codes and counts';
}

/** What an item is, by the key that only that kind has. */
function schemaOf(item: object) {
  if ('counts' in item) return minuteReport;
  return 'F1' in item || 'time' in item ? exportRow : event;
}

const pathOf = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** Zod's issues as field errors, an unknown key named by itself. */
export function errorsOf(issues: z.core.$ZodIssue[], prefix: PropertyKey[]): FieldError[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(path), message: issue.message }];
    return issue.keys.map((key) => ({ path: pathOf([...path, key]), message: `unknown key "${key.slice(0, 100)}"` }));
  });
}

type Item = z.output<typeof minuteReport> | z.output<typeof event> | z.output<typeof exportRow>;

function entriesOf(item: Item): Entry[] {
  if ('status' in item) {
    const [amount, code] = ['F1' in item ? item.F1 : (item.count ?? 1), item.auth_code];
    const slot = code === undefined ? item.status : `${item.status}/${code}`;
    return [{ slot, status: item.status, count: amount, ...(code !== undefined && { code }) }];
  }
  const counts = item.counts as Partial<Record<Status, number>>;
  const entries: Entry[] = [];
  for (const name of STATUSES) {
    const amount = counts[name];
    if (amount !== undefined) entries.push({ slot: name, status: name, count: amount });
  }
  const codes = item.authCodes ?? {};
  for (const code in codes) entries.push({ slot: `#${code}`, code, count: codes[code] ?? 0 });
  return entries;
}

const timeOf = (item: Item): string | undefined => ('F1' in item ? item.time : item.timestamp);

const NO_LABELS: Report['labels'] = Object.freeze({});
function inOrder(labels: Report['labels']): Report['labels'] {
  const entries = Object.entries(labels);
  return entries.length < 2 ? labels : Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toReport(item: Item, now: number): Report {
  const said = timeOf(item);
  const time = said === undefined ? now : parseTime(said);
  return {
    time,
    minute: Math.floor(time / 60_000) * 60,
    source: item.source ?? '',
    labels: item.labels === undefined ? NO_LABELS : inOrder(item.labels),
    identified: item.source !== undefined && said !== undefined,
    entries: entriesOf(item),
  };
}

function checkReport(report: Report, allowed: readonly string[], now: number, item: object): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'F1' in item ? 'time' : 'timestamp';
  if (report.time > now + FUTURE_MS) errors.push({ path, message: 'is more than 5 minutes in the future' });
  if (report.time < 0) errors.push({ path, message: 'is before 1970' });
  for (const name in report.labels) {
    if (allowed.includes(name)) continue;
    const known = allowed.length > 0 ? `allowed are ${allowed.join(', ')}` : 'none is allowed (see TILLWATCH_LABELS)';
    errors.push({ path: `labels.${name.slice(0, 100)}`, message: `unknown label; ${known}` });
  }
  return errors;
}

function parseItem(item: unknown, prefix: PropertyKey[], allowed: readonly string[], now: number): Parsed {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    return { ok: false, errors: [{ path: pathOf(prefix), message: 'must be an object' }] };
  const result = schemaOf(item).safeParse(item);
  if (!result.success) return { ok: false, errors: errorsOf(result.error.issues, prefix) };
  const report = toReport(result.data as Item, now);
  const errors = checkReport(report, allowed, now, item);
  if (errors.length === 0) return { ok: true, reports: [report] };
  return { ok: false, errors: errors.map(({ path, message }) => ({ path: pathOf([...prefix, path]), message })) };
}

/**
 * Turns an accepted body, one report or a list of them, into reports; all or none of it.
 * @param now milliseconds since the epoch, for reports without a time
 * @param allowed extra label names that a report may carry
 */
export function parseReports(body: unknown, now: number, allowed: readonly string[]): Parsed {
  const items = Array.isArray(body) ? body : [body];
  if (items.length === 0) return { ok: false, errors: [{ path: '', message: 'must hold at least one report' }] };
  if (items.length > MAX_REPORTS)
    return { ok: false, errors: [{ path: '', message: `must not hold more than ${MAX_REPORTS} reports` }] };
  const reports: Report[] = [];
  const errors: FieldError[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = parseItem(item, Array.isArray(body) ? [index] : [], allowed, now);
    if (parsed.ok) reports.push(...parsed.reports);
    else errors.push(...parsed.errors);
    if (errors.length >= MAX_ERRORS) break;
  }
  return errors.length > 0 ? { ok: false, errors: errors.slice(0, MAX_ERRORS) } : { ok: true, reports };
}
