import { z } from 'zod';
import { duration, mayBeLocalTime } from '../domain/clock.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import { statusOf } from '../domain/status-words.ts';
import { parseEpoch, parseTime } from '../domain/times.ts';
import { type Found, itemsOf, type Mapping, mapItem } from './mapping.ts';
import { spell } from './spelling.ts';
import { shown, suggest } from './suggest.ts';

/**
 * One number out of a report. `status` adds to the transactions, `code` to the auth codes, both
 * when both are known.
 */
export interface Entry {
  /** Identifies the number within its report, so that a repeat of it is recognised. */
  slot: string;
  status?: Status;
  code?: string;
  count: number;
}

/** A report as the ledger takes it, whatever body it came in. */
export interface Report {
  /** The time that the counts are about, in milliseconds since the epoch. */
  time: number;
  /** Start of that minute, in seconds since the epoch. */
  minute: number;
  source: string;
  /** Extra labels, in the order of their names. */
  labels: Readonly<Record<string, string>>;
  /**
   * Named its source, its time and counts: the same again is a repeat or a correction, not more
   * transactions.
   */
  identified: boolean;
  /** Identifies an event of its sender: the same id again is a repeat. */
  id?: string | undefined;
  entries: Entry[];
}

export interface FieldError {
  /** Dotted path into the body, empty for the body itself. */
  path: string;
  message: string;
}

export type Parsed = { ok: true; reports: Report[] } | { ok: false; errors: FieldError[] };

export const MAX_REPORTS = 10_000;
/** A minute has at most a few hundred; more are a mistake, and would hold up others. */
const MAX_CODES = 1000;
const MAX_ERRORS = 20;
const FUTURE_MS = 5 * 60_000;

/** The line of a mapping that reads a number in quotes. */
const quotedNumber = (value: unknown): string =>
  typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value)
    ? '. A mapping (--mapping) with `numbersInStrings: true` reads it'
    : '';

/** Says what is wrong with a number as a count of transactions, whatever the largest is. */
function wrongCount(value: unknown): string | undefined {
  if (value === undefined) return 'is missing; a count stands in "count", beside "time" also in "F1"';
  if (typeof value !== 'number')
    return `must be a whole number of transactions, got ${shown(value)}${quotedNumber(value)}`;
  if (!Number.isInteger(value)) return `must be a whole number, got ${value}`;
  return value < 0 ? `must not be negative, got ${value}` : undefined;
}

const count = z
  .custom<number>((n) => wrongCount(n) === undefined, { error: ({ input }) => wrongCount(input) })
  .meta({
    override: { type: 'integer', minimum: 0 },
    description: 'Number of transactions, at most what --max-count says',
  });

const timestamp = z
  .custom<string | number>((value) => !Number.isNaN(timeOf(value)), {
    error: ({ input }) =>
      `must be a time such as 2026-11-21T12:31:00Z, 2026-11-21 12:31:00 or an epoch number, got ${shown(input)}${quotedNumber(input)}`,
  })
  .meta({
    override: { type: ['string', 'number'] },
    description:
      'The minute that the counts are of: ISO 8601, UTC unless an offset is given, or an epoch number in s, ms, us or ns; now when left out',
  });

/** Milliseconds since the epoch, NaN for what is no time. */
function timeOf(value: unknown): number {
  if (typeof value === 'number') return parseEpoch(value);
  return typeof value === 'string' ? parseTime(value) : Number.NaN;
}

/** Names of counts that hold the others. */
const SUM = /^(?:grand)?_?-?(?:totals?|all|sum|todos|gesamt)$/i;

/** Says of a word that is no status which one it may mean, and how it would be read. */
function notAStatus(word: string): string {
  const brief = JSON.stringify(word.slice(0, 60));
  if (word.trim() === '') return `must not be empty; statuses are ${STATUSES.join(', ')}`;
  if (SUM.test(word)) return `${brief} is the sum of the statuses, and no status: leave it out`;
  const meant = statusOf(word) ?? suggest(word, STATUSES);
  const near = meant === undefined ? '. ' : `; did you mean "${meant}"? `;
  const line = `statuses: {${brief}: ${meant ?? 'denied'}}`;
  const ifSo = meant === undefined ? ', if that is what it means' : '';
  return `${brief} is not a status${near}Statuses are ${STATUSES.join(', ')}. A mapping (--mapping) with \`${line}\` reads it${ifSo}`;
}

function wrongStatus(value: unknown): string {
  if (typeof value === 'string') return notAStatus(value);
  if (value === undefined) return `is missing; a report has "counts", an event has a "status": ${STATUSES.join(', ')}`;
  return `must be one of ${STATUSES.join(', ')}, got ${shown(value)}`;
}

const status = z.enum(STATUSES, { error: ({ input }) => wrongStatus(input) }).meta({ id: 'Status' });
const text = (most: number) =>
  z
    .string({ error: ({ input }) => `must be a string, got ${shown(input)}` })
    .min(1, 'must not be empty')
    .max(most, `must not be longer than ${most} characters`);
const source = text(200).meta({ description: 'Who reports; with a timestamp it makes a retry count once' });
const authCode = z
  .string({ error: ({ input }) => `must be a string such as "51", got ${shown(input)}` })
  .regex(/^[0-9A-Za-z]{1,8}$/, { error: ({ input }) => `must be 1 to 8 letters or digits, got ${shown(input)}` });
const labels = z.record(
  z.string(),
  // A lone surrogate has no UTF-8 form, so it could not be exposed to Prometheus.
  text(200).refine((value) => value.isWellFormed(), 'must be well-formed Unicode'),
  { error: ({ input }) => `must be an object of label names and values, got ${shown(input)}` },
);

export const minuteReport = z
  .strictObject({
    timestamp: timestamp.optional(),
    source: source.optional(),
    counts: z
      .strictObject(Object.fromEntries(STATUSES.map((name) => [name, count.optional()])), {
        error: ({ code, input }) =>
          code === 'invalid_type' ? `must be an object of statuses and counts, got ${shown(input)}` : undefined,
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
    count: count.optional(),
    auth_code: authCode.optional(),
    labels: labels.optional(),
    id: text(200).optional().meta({ description: 'Identifies the event: the same again counts once' }),
  })
  .meta({ id: 'Event', description: 'The count of one status, or one transaction where there is no count' });

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

function authCodesError({ code, input }: { code: string; input?: unknown }): string {
  return code === 'invalid_key'
    ? 'must be 1 to 8 letters or digits'
    : `must be an object of auth codes and counts, got ${shown(input)}`;
}

/** Chooses the schema of an item by the key that only its kind has. */
function schemaOf(item: object) {
  if ('counts' in item) return minuteReport;
  return 'F1' in item || ('time' in item && !('count' in item)) ? exportRow : event;
}

const pathOf = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** Zod's issues as field errors, an unknown key named by itself. */
export function errorsOf(issues: readonly z.core.$ZodIssue[], prefix: PropertyKey[]): FieldError[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(path), message: issue.message }];
    return issue.keys.map((key) => ({ path: pathOf([...path, key]), message: `unknown key "${key.slice(0, 100)}"` }));
  });
}

/** Names that reports of other programs have. */
const OF_REPORTS = ['status', 'counts', 'fields', 'attributes', 'schema', 'timestamp', 'time'];
const MAX_ITEMS_DEPTH = 6;

/**
 * The path, for a mapping, of the reports that a value holds, such as
 * `resourceLogs.*.scopeLogs.*.logRecords`.
 */
function itemsWithin(value: unknown, path: string, depth = 0): string | undefined {
  const isList = Array.isArray(value);
  const item: unknown = isList ? value[0] : value;
  if (typeof item !== 'object' || item === null || depth > MAX_ITEMS_DEPTH) return undefined;
  if ((isList || depth === 0) && OF_REPORTS.some((name) => Object.hasOwn(item, name))) return path;
  for (const [name, inner] of Object.entries(item).slice(0, 50)) {
    const found = itemsWithin(inner, `${path}${isList ? '.*' : ''}.${name}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Says of a key that no report has what may be meant, and which line of a mapping would help. */
function unknownKey(key: string, value: unknown, known: readonly string[], allowed: readonly string[]): string {
  const named = `unknown key "${key.slice(0, 100)}", got ${shown(value)}`;
  const name = /^[\w.-]{1,60}$/.test(key) ? key : JSON.stringify(key.slice(0, 60));
  const items = itemsWithin(value, name) ?? (Array.isArray(value) ? name : undefined);
  if (items !== undefined) return `${named}. A mapping (--mapping) with \`items: ${items}\` reads the reports in it`;
  const label = allowed.includes(key);
  const status = typeof value === 'number' ? statusOf(key) : undefined;
  const meant = label ? `labels.${key}` : status === undefined ? suggest(key, known) : `counts.${status}`;
  const near = meant === undefined ? `keys are ${known.join(', ')}` : `did you mean "${meant}"?`;
  // A mapping knows no rows of an export: it makes events of them.
  const names = meant === 'F1' ? `time: timestamp, ${name}: count` : `${name}: ${meant}`;
  const rename = meant === undefined ? '' : `\`rename: {${names}}\` reads it, and with `;
  return `${named}; ${near} A mapping (--mapping) with ${rename}\`ignore: [${name}]\` skips it`.replace(
    /(\w) A mapping/,
    '$1. A mapping',
  );
}

/** Errors of an item, each with the field and the value as they were sent. */
function errorsIn(item: object, issues: readonly z.core.$ZodIssue[], { labels }: IntakeOptions): FieldError[] {
  const fields = item as Record<string, unknown>;
  const known = [...new Set([...Object.keys(schemaOf(item).shape), 'counts', 'authCodes'])];
  const unknown = (path: readonly PropertyKey[], key: string): string => {
    if (path[0] === 'counts') return notAStatus(key);
    if (key === 'authCodes')
      return 'stands beside "counts", which say the statuses: {"counts": {...}, "authCodes": {...}}';
    if ('counts' in item && ['count', 'status', 'auth_code'].includes(key))
      return 'must not stand beside "counts", which hold a count of each status: give one of them';
    if (key === 'count' && 'F1' in item) return 'must not stand beside "F1": give one of them';
    return unknownKey(key, fields[key], known, labels);
  };
  const nameless = issues.some(({ code, path }) => code === 'unrecognized_keys' && path[0] === 'counts');
  return issues.flatMap((issue): FieldError[] => {
    const path = pathOf(issue.path);
    if (issue.code === 'unrecognized_keys')
      return issue.keys
        .slice(0, MAX_ERRORS)
        .map((key) => ({ path: pathOf([...issue.path, key]), message: unknown(issue.path, key) }));
    // That no status is named follows from names that are none.
    if (issue.code === 'custom' && path === 'counts' && nameless) return [];
    const isRecord = typeof fields.count === 'object' && fields.count !== null && !Array.isArray(fields.count);
    const meant = path === 'count' && isRecord ? '; did you mean "counts"?' : '';
    return [{ path, message: issue.message + meant }];
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

const saidTime = (item: Item): string | number | undefined => ('F1' in item ? item.time : item.timestamp);

const NO_LABELS: Report['labels'] = Object.freeze({});
function inOrder(labels: Report['labels']): Report['labels'] {
  const entries = Object.entries(labels);
  return entries.length < 2 ? labels : Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const hasCount = (item: Item): boolean => !('status' in item) || 'F1' in item || item.count !== undefined;

function toReport(item: Item, now: number): Report {
  const said = saidTime(item);
  const time = said === undefined ? now : timeOf(said);
  return {
    time,
    minute: Math.floor(time / 60_000) * 60,
    source: item.source ?? '',
    labels: item.labels === undefined ? NO_LABELS : inOrder(item.labels),
    // An event without a count is one transaction, and the next one is another.
    identified: item.source !== undefined && said !== undefined && hasCount(item),
    ...('id' in item && item.id !== undefined && { id: item.id }),
    entries: entriesOf(item),
  };
}

export interface IntakeOptions {
  /** Milliseconds since the epoch, for reports without a time. */
  now: number;
  /** Extra label names that a report may carry. */
  labels: readonly string[];
  maxCount: number;
  mapping?: Mapping | undefined;
}

const fieldOf = (slot: string, item: Item): string => {
  if ('status' in item) return 'F1' in item ? 'F1' : 'count';
  return slot.startsWith('#') ? `authCodes.${slot.slice(1)}` : `counts.${slot}`;
};

function wrongLabel(name: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return 'unknown label; none is allowed (see TILLWATCH_DIMENSIONS)';
  const near = suggest(name, allowed);
  return `unknown label; ${near ? `did you mean "${near}"? ` : ''}allowed are ${allowed.join(', ')}`;
}

function checkReport(report: Report, item: Item, { labels, maxCount, now }: IntakeOptions): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'F1' in item ? 'time' : 'timestamp';
  const ahead = report.time - now;
  if (ahead > FUTURE_MS) {
    const zone = mayBeLocalTime(-ahead) ? "; is the sender's clock in UTC?" : '';
    errors.push({ path, message: `is ${duration(ahead)} in the future, got ${shown(saidTime(item))}${zone}` });
  }
  if (report.time < 0) errors.push({ path, message: `is before 1970, got ${shown(saidTime(item))}` });
  for (const name in report.labels)
    if (!labels.includes(name))
      errors.push({ path: `labels.${name.slice(0, 100)}`, message: wrongLabel(name, labels) });
  for (const { slot, count } of report.entries)
    if (count > maxCount)
      errors.push({ path: fieldOf(slot, item), message: `must not exceed ${maxCount} (--max-count), got ${count}` });
  return errors;
}

/** Looked at before all else: reading so many takes long. */
function tooManyCodes(item: object): FieldError[] {
  const { authCodes } = item as { authCodes?: unknown };
  const codes = typeof authCodes === 'object' && authCodes !== null ? Object.keys(authCodes).length : 0;
  return codes > MAX_CODES
    ? [{ path: 'authCodes', message: `must not hold more than ${MAX_CODES} auth codes, got ${codes}` }]
    : [];
}

/** A path as it stands in the body, of which a mapping or the spelling may have changed a part. */
function sentPath(path: string, sentAs: ReadonlyMap<string, string>): string {
  for (const [here, there] of sentAs)
    if (path === here || path.startsWith(`${here}.`)) return there + path.slice(here.length);
  return path;
}

function parseItem({ item: sent, path: prefix }: Found, options: IntakeOptions): Parsed {
  const { mapping, now } = options;
  const failed = (errors: FieldError[], sentAs: ReadonlyMap<string, string> = new Map()): Parsed => ({
    ok: false,
    errors: errors.map(({ path, message }) => ({
      path: pathOf([...prefix, sentPath(path, sentAs)].filter((part) => part !== '')),
      message,
    })),
  });
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    return failed([{ path: '', message: `must be an object, got ${shown(sent)}` }]);
  const crowded = tooManyCodes(sent);
  if (crowded.length > 0) return failed(crowded);
  const mapped = mapping === undefined ? { item: sent, sentAs: new Map() } : mapItem(sent, mapping);
  const { item, sentAs } = spell(mapped, mapping?.statuses);
  const result = schemaOf(item).safeParse(item);
  if (!result.success) return failed(errorsIn(item, result.error.issues, options), sentAs);
  const report = toReport(result.data as Item, now);
  const errors = checkReport(report, result.data as Item, options);
  return errors.length === 0 ? { ok: true, reports: [report] } : failed(errors, sentAs);
}

/** Turns an accepted body, one report or a list of them, into reports; all or none of it. */
export function parseReports(body: unknown, options: IntakeOptions): Parsed {
  const items = itemsOf(body, options.mapping);
  if (items.length === 0) return { ok: false, errors: [{ path: '', message: 'must hold at least one report' }] };
  if (items.length > MAX_REPORTS)
    return {
      ok: false,
      errors: [{ path: '', message: `must not hold more than ${MAX_REPORTS} reports, got ${items.length}` }],
    };
  const reports: Report[] = [];
  const errors: FieldError[] = [];
  for (const item of items) {
    const parsed = parseItem(item, options);
    if (parsed.ok) reports.push(...parsed.reports);
    else errors.push(...parsed.errors);
    if (errors.length >= MAX_ERRORS) break;
  }
  return errors.length > 0 ? { ok: false, errors: errors.slice(0, MAX_ERRORS) } : { ok: true, reports };
}
