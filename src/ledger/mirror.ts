import { METRIC, type Status } from '../names.ts';
import type { Store } from './file.ts';
import { countsOf, type Plan, type Series } from './plan.ts';
import { unseal } from './store.mjs';

/** Minutes whose sums are at hand; more than reports can be ahead of the clock. */
const RECENT_MINUTES = 20;

type Counts = Partial<Record<Status, number>>;

/** What is on disk, in memory: what a scrape reads. */
export interface Mirror {
  totals: Map<string, Series>;
  apply(plan: Pick<Plan, 'series' | 'added'>): void;
  /** Series of transactions_total with extra labels, and auth codes. */
  tally(): { labelled: number; codes: number };
  lastMinute(now: number): { minute: number; counts: Counts } | undefined;
}

function addTo(minutes: Map<number, Counts>, minute: number, more: Counts): void {
  const counts = minutes.get(minute) ?? {};
  for (const [status, n] of Object.entries(more) as [Status, number][]) counts[status] = (counts[status] ?? 0) + n;
  minutes.set(minute, counts);
}

function loadTotals({ tables }: Store): Map<string, Series> {
  const totals = new Map<string, Series>();
  for (const { key, value } of tables.totals.getRange({})) totals.set(key, JSON.parse(unseal('totals', key, value)));
  return totals;
}

function loadMinutes({ tables }: Store): Map<number, Counts> {
  const minutes = new Map<number, Counts>();
  for (const { key, value } of tables.minutes.getRange({ reverse: true })) {
    const minute = Number(key.slice(0, 12));
    if (minutes.size >= RECENT_MINUTES && !minutes.has(minute)) break;
    addTo(minutes, minute, countsOf(JSON.parse(unseal('minutes', key, value))));
  }
  return minutes;
}

function forgetOld(minutes: Map<number, Counts>): void {
  if (minutes.size <= 2 * RECENT_MINUTES) return;
  const old = [...minutes.keys()].sort((a, b) => b - a).slice(RECENT_MINUTES);
  for (const minute of old) minutes.delete(minute);
}

/** Reads the mirror from a store that has been verified. */
export function loadMirror(store: Store): Mirror {
  const totals = loadTotals(store);
  const minutes = loadMinutes(store);
  return {
    totals,
    apply(plan) {
      for (const [key, series] of plan.series) totals.set(key, series);
      for (const { minute, status, count } of plan.added) addTo(minutes, minute, { [status]: count });
      forgetOld(minutes);
    },
    tally() {
      const all = [...totals.values()];
      const labelled = all.filter((s) => s.metric === METRIC.transactions && Object.keys(s.labels).length > 1);
      return { labelled: labelled.length, codes: all.filter((s) => s.metric === METRIC.authCodes).length };
    },
    lastMinute(now) {
      const ended = [...minutes.keys()].filter((minute) => minute + 60 <= now / 1000);
      const minute = Math.max(...ended);
      return ended.length === 0 ? undefined : { minute, counts: minutes.get(minute) ?? {} };
    },
  };
}
