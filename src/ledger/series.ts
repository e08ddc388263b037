import { METRIC, STATUSES } from '../domain/names.ts';
import type { Row } from './engine.ts';
import type { Chunk, Labels, Series } from './ledger.ts';

/** A scrape joins few chunks, and a report causes little to be rendered again. */
const CHUNK = 128;
/** Series that are set. All others only grow. */
const GAUGES: readonly string[] = [METRIC.lastReport, METRIC.reportDelay, METRIC.lastLateReport];

export interface KnownSeries extends Series {
  readonly id: number;
  value: number;
}

interface OpenChunk extends Chunk {
  series: KnownSeries[];
}

export const seriesKey = (metric: string, labels: Labels): string => metric + JSON.stringify(labels);

export type KnownTotals = ReturnType<typeof createKnownTotals>;

/** The series as last read: by key for the planner, in chunks for the exposition. */
export function createKnownTotals() {
  const byKey = new Map<string, KnownSeries>();
  const byId = new Map<number, { series: KnownSeries; chunk: OpenChunk }>();
  const metrics = new Map<string, OpenChunk[]>();
  /** The number of series of transactions_total with extra labels, of auth codes and of sources. */
  const known = { labelled: 0, codes: 0, sources: 0 };
  let [newest, changed, largest, size] = [0, 0, 0, 0];

  function roomFor(metric: string): OpenChunk {
    const chunks = metrics.get(metric) ?? [];
    metrics.set(metric, chunks);
    const last = chunks.at(-1);
    if (last !== undefined && last.series.length < CHUNK) return last;
    const fresh: OpenChunk = { series: [], rendered: {} };
    chunks.push(fresh);
    return fresh;
  }

  function keep(row: Row): { series: KnownSeries; chunk: OpenChunk } {
    const [id, metric, labels] = [Number(row.id), String(row.metric), JSON.parse(String(row.labels)) as Labels];
    const series = { id, metric, labels, value: 0, created: Number(row.created) };
    const chunk = roomFor(metric);
    chunk.series.push(series);
    byKey.set(seriesKey(metric, labels), series);
    byId.set(id, { series, chunk });
    newest = Math.max(newest, id);
    if (!GAUGES.includes(metric)) size++;
    if (metric === METRIC.transactions && Object.keys(labels).length > 1) known.labelled++;
    if (metric === METRIC.authCodes) known.codes++;
    if (metric === METRIC.reportDelay && labels.source !== undefined) known.sources++;
    return { series, chunk };
  }

  return {
    get: (key: string): KnownSeries | undefined => byKey.get(key),
    /** The id of the first of the series of a set of labels, which follow each other. */
    first: (labels: Labels): number | undefined =>
      byKey.get(seriesKey(METRIC.transactions, { status: STATUSES[0], ...labels }))?.id,
    chunks: (metric: string): readonly Chunk[] => metrics.get(metric) ?? [],
    size: () => size,
    /** The id of the newest series; 0 before the first. */
    newest: () => newest,
    known,
    /** The newest commit of which all changes were read. */
    changed: () => changed,
    caughtUp(commit: number): void {
      changed = Math.max(changed, commit);
    },
    /** No counter is above this. */
    largest: () => largest,
    raise(bound: number): void {
      largest = Math.max(largest, bound);
    },
    /** Takes rows of the table: values as they are now, or only series that may be new. */
    take(rows: readonly Row[], all: boolean): void {
      for (const row of rows) {
        const value = Number(row.value);
        const found = byId.get(Number(row.id));
        if (found !== undefined && !all) continue;
        const { series, chunk } = found ?? keep(row);
        const isGauge = GAUGES.includes(series.metric);
        // Answers to two questions may come in either order; a counter only grows.
        if (!isGauge && value < series.value) continue;
        series.value = value;
        chunk.rendered = {};
        if (!isGauge) largest = Math.max(largest, value);
      }
    },
  };
}
