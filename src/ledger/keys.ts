/** Under what keys records are kept: each is a text of one line, and sorts where it is to be found by its start. */
import { createHash } from 'node:crypto';
import { METRIC, STATUSES, type Status } from '../names.ts';
import type { Report } from '../report.ts';

export type Labels = Readonly<Record<string, string>>;

/** LMDB takes keys up to 1,978 bytes; a longer one is known by its hash, as is one of more than one line. */
export function recordKey(text: string): string {
  const plain = !text.includes('\n');
  // A character has at most three bytes: most keys need no counting.
  if (plain && text.length <= 166) return text;
  return plain && Buffer.byteLength(text) <= 500 ? text : `#${createHash('sha256').update(text).digest('hex')}`;
}

export const seriesKey = (metric: string, labels: Labels): string => recordKey(`${metric} ${JSON.stringify(labels)}`);

/** The keys of all statuses of a metric without extra labels. */
const statusKeys = (metric: string): Record<Status, string> =>
  Object.fromEntries(STATUSES.map((status) => [status, seriesKey(metric, { status })])) as Record<Status, string>;
const PLAIN_KEYS = { [METRIC.transactions]: statusKeys(METRIC.transactions), [METRIC.late]: statusKeys(METRIC.late) };

/** Keys by extra labels as JSON: the same come again and again, and a text that is met again is found without being read. */
const labelledKeys = new Map<string, Record<Status, string>>();
const MAX_LABELLED_KEYS = 10_000;

function keysOf(tail: string): Record<Status, string> {
  const known = labelledKeys.get(tail);
  if (known !== undefined) return known;
  const made = STATUSES.map((status) => [
    status,
    recordKey(`${METRIC.transactions} {"status":"${status}",${tail.slice(1)}`),
  ]);
  const keys = Object.fromEntries(made) as Record<Status, string>;
  if (labelledKeys.size >= MAX_LABELLED_KEYS) labelledKeys.clear();
  labelledKeys.set(tail, keys);
  return keys;
}

/** The keys of a metric's statuses with extra labels; what is late has none. */
export const statusKeysOf = (metric: keyof typeof PLAIN_KEYS, labels: Labels): Record<Status, string> =>
  hasAny(labels) ? keysOf(JSON.stringify(labels)) : PLAIN_KEYS[metric];

export function hasAny(labels: Labels): boolean {
  for (const _ in labels) return true;
  return false;
}

/** Undefined where there are none, which JSON leaves out. */
export const someLabels = (labels: Labels): Labels | undefined => (hasAny(labels) ? labels : undefined);

/** Of the minute at the start of a key. */
export const MINUTE_DIGITS = 12;

/** Minutes sort by time, so that old ones can be removed as a range. */
export const minuteText = (minute: number): string => String(Math.max(0, minute)).padStart(MINUTE_DIGITS, '0');

/** The minute that a key of `slotsKey` begins with, as `minuteText`. */
export const minuteOf = (key: string): string => key.slice(0, MINUTE_DIGITS);

export function slotsKey(report: Pick<Report, 'minute' | 'source' | 'labels' | 'identified'>): string {
  // Counts that may be corrected and counts that only add up must not meet in one record.
  const kind = report.identified ? 'said' : 'sum';
  const rest = recordKey(`${kind} ${JSON.stringify([report.source, report.labels])}`);
  return `${minuteText(report.minute)} ${rest}`;
}
