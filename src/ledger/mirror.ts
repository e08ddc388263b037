import { METRIC, type Status } from '../names.ts';
import type { Store } from './file.ts';
import { minuteOf } from './keys.ts';
import { countsOf, type Plan, type Series } from './plan.ts';
import { unseal } from './store.mjs';

/** Minutes whose sums are at hand; more than reports can be ahead of the clock. */
const RECENT_MINUTES = 20;

type Counts = Partial<Record<Status, number>>;

/** A counter that is on disk, and where it is exposed. */
interface Total extends Series {
  value: number;
  chunk: Chunk;
}

/** Series of one metric that are exposed together. */
export interface Chunk {
  readonly series: readonly Readonly<Series>[];
  /** What a reader made of them; dropped when a value of theirs changes. */
  text?: Buffer | undefined;
}

/** So many that a scrape joins few chunks, so few that a report makes little to be rendered again. */
const CHUNK = 128;

/** What is on disk, in memory: what a scrape reads. */
export interface Mirror {
  get(key: string): Series | undefined;
  size(): number;
  /** All series of a metric. */
  chunks(metric: string): readonly Chunk[];
  apply(news: { series: ReadonlyMap<string, Series>; added: Plan['added'] }): void;
  /** Series of transactions_total with extra labels, and auth codes. */
  tally(): { labelled: number; codes: number };
  lastMinute(now: number): { minute: number; counts: Counts } | undefined;
}

function addTo(minutes: Map<number, Counts>, minute: number, more: Counts): void {
  const counts = minutes.get(minute) ?? {};
  for (const status in more) counts[status as Status] = (counts[status as Status] ?? 0) + (more[status as Status] ?? 0);
  minutes.set(minute, counts);
}

/** The counters by key, and by metric in chunks. */
function createTotals() {
  const totals = new Map<string, Total>();
  const metrics = new Map<string, { series: Total[]; text?: Buffer | undefined }[]>();
  function roomFor(metric: string) {
    const chunks = metrics.get(metric) ?? [];
    metrics.set(metric, chunks);
    const last = chunks.at(-1);
    if (last !== undefined && last.series.length < CHUNK) return last;
    const fresh: { series: Total[]; text?: Buffer | undefined } = { series: [] };
    chunks.push(fresh);
    return fresh;
  }
  return {
    totals,
    chunks: (metric: string): readonly Chunk[] => metrics.get(metric) ?? [],
    set(key: string, { metric, labels, value }: Series): void {
      const known = totals.get(key);
      if (known !== undefined) {
        known.value = value;
        known.chunk.text = undefined;
        return;
      }
      const chunk = roomFor(metric);
      const total = { metric, labels, value, chunk };
      totals.set(key, total);
      chunk.series.push(total);
      chunk.text = undefined;
    },
  };
}

function loadMinutes({ tables }: Store): Map<number, Counts> {
  const minutes = new Map<number, Counts>();
  for (const { key, value } of tables.minutes.getRange({ reverse: true })) {
    const minute = Number(minuteOf(key));
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
  const { totals, chunks, set } = createTotals();
  for (const { key, value } of store.tables.totals.getRange({})) set(key, JSON.parse(unseal('totals', key, value)));
  const minutes = loadMinutes(store);
  return {
    get: (key) => totals.get(key),
    size: () => totals.size,
    chunks,
    apply({ series, added }) {
      for (const [key, one] of series) set(key, one);
      for (const { minute, counts } of added) addTo(minutes, minute, counts);
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
