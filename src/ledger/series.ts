import { METRIC, STATUSES } from '../domain/names.ts';
import { labelsText } from '../domain/series-text.ts';
import type { Row } from './engine.ts';
import type { Chunk, Labels, Series } from './ledger.ts';

/**
 * A scrape sends few chunks, and a report causes little to be rendered again. With 128, gzip took
 * twice as long.
 */
const CHUNK = 512;
/** Series that are set. All others only grow. */
const GAUGES: readonly string[] = [METRIC.lastReport, METRIC.reportDelay, METRIC.lastLateReport];

interface KnownSeries extends Series {
  value: number;
  readonly chunk: OpenChunk;
}

interface OpenChunk extends Chunk {
  readonly isGauge: boolean;
  series: KnownSeries[];
}

/** A series that a batch makes. */
export interface NewSeries {
  id: number;
  metric: string;
  labels: Labels;
}

/** What a commit changes: series made, then by id the amounts added to counters and values set. */
interface Committed {
  series: readonly NewSeries[];
  counters: ReadonlyMap<number, number>;
  gauges: ReadonlyMap<number, number>;
}

export const seriesKey = (metric: string, labels: Labels): string => metric + JSON.stringify(labels);
/** The key of the first of the series that a set of labels has, one for each status. */
export const firstKey = (metric: string, labels: Labels): string =>
  seriesKey(metric, { status: STATUSES[0], ...labels });

export type KnownTotals = ReturnType<typeof createKnownTotals>;

/** The series as last read: by key for the planner, in chunks for the exposition. */
export function createKnownTotals() {
  /** One key for all statuses of a set of labels, whose ids follow each other. */
  const ids = new Map<string, number>();
  const byId: KnownSeries[] = [];
  const metrics = new Map<string, OpenChunk[]>();
  /** The number of series of transactions_total with extra labels, of auth codes and of sources. */
  const known = { labelled: 0, codes: 0, sources: 0 };
  /** `seen`: the newest commit of which any rows were taken. */
  let [newest, changed, seen, largest, size] = [0, 0, 0, 0, 0];

  function roomFor(metric: string): OpenChunk {
    const chunks = metrics.get(metric) ?? [];
    metrics.set(metric, chunks);
    const last = chunks.at(-1);
    if (last !== undefined && last.series.length < CHUNK) return last;
    const fresh: OpenChunk = { isGauge: GAUGES.includes(metric), series: [], rendered: {} };
    chunks.push(fresh);
    return fresh;
  }

  function keep({ id, metric, labels }: NewSeries, created: number): KnownSeries {
    const chunk = roomFor(metric);
    const series = { labels: labelsText(labels), value: 0, created, chunk };
    chunk.series.push(series);
    chunk.rendered = {};
    byId[id] = series;
    if (labels.status === undefined || labels.status === STATUSES[0]) ids.set(seriesKey(metric, labels), id);
    newest = Math.max(newest, id);
    if (!chunk.isGauge) size++;
    if (metric === METRIC.transactions && Object.keys(labels).length > 1) known.labelled++;
    if (metric === METRIC.authCodes) known.codes++;
    if (metric === METRIC.reportDelay && labels.source !== undefined) known.sources++;
    return series;
  }

  function set(series: KnownSeries | undefined, value: number): void {
    if (series === undefined || series.value === value) return;
    series.value = value;
    series.chunk.rendered = {};
  }

  return {
    /** The id of a series; of those of a set of labels, only the first has a key. */
    id: (key: string): number | undefined => ids.get(key),
    value: (key: string): number => byId[ids.get(key) ?? -1]?.value ?? 0,
    chunks: (metric: string): readonly Chunk[] => metrics.get(metric) ?? [],
    size: () => size,
    /** The id of the newest series; 0 before the first. */
    newest: () => newest,
    known,
    /** The newest commit of which all changes are known. */
    changed: () => changed,
    caughtUp(commit: number): void {
      changed = Math.max(changed, commit);
    },
    /** No counter is above this. */
    largest: () => largest,
    raise(bound: number): void {
      largest = Math.max(largest, bound);
    },
    /**
     * Takes rows that one statement read, all of one commit: values as they are now, or only series
     * that may be new.
     */
    take(rows: readonly Row[], all: boolean): void {
      const commit = Number(rows[0]?.commits);
      if (commit < changed) return;
      if (commit > seen) seen = commit;
      for (const row of rows) {
        const [id, value] = [Number(row.id), Number(row.value)];
        const found = byId[id];
        if (found !== undefined && !all) continue;
        const made = () => ({ id, metric: String(row.metric), labels: JSON.parse(String(row.labels)) as Labels });
        const series = found ?? keep(made(), Number(row.created));
        // Answers to two questions may come in either order; a counter only grows.
        if (!series.chunk.isGauge && value < series.value) continue;
        set(series, value);
        if (!series.chunk.isGauge) largest = Math.max(largest, value);
      }
    },
    /**
     * Takes what a commit of this service has changed, so that it need not be read. It is left to
     * be read where the commit before is not known yet, or where rows may hold its changes.
     */
    add({ series, counters, gauges }: Committed, commit: number, time: number): void {
      if (commit !== changed + 1 || commit <= seen) return;
      for (const one of series) keep(one, time);
      for (const [id, by] of counters) set(byId[id], (byId[id]?.value ?? 0) + by);
      for (const [id, value] of gauges) set(byId[id], value);
      changed = commit;
    },
  };
}
