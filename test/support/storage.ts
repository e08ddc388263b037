import { readdir } from 'node:fs/promises';
import { storageOf } from '../../src/history/history.ts';
import { startEphemeralPrometheus } from '../../src/prometheus/ephemeral-prometheus.ts';
import { instantQuery, rangeQuery } from '../../src/prometheus/ephemeral-queries.ts';
import type { Columns } from '../../src/prometheus/range-columns.ts';

/** A series of a range query's answer: [seconds, value as text]. */
export interface RangeSeries {
  metric: Columns['metric'];
  values: [number, string][];
}

export const rowsOf = ({ metric, times, values }: Columns): RangeSeries => ({
  metric,
  values: Array.from(times, (time, index) => [time, String(values[index])]),
});

export interface Storage {
  /** Values of an instant query at a time (seconds), by the label asked for. */
  values: (query: string, time: number, label?: string) => Promise<Record<string, number>>;
  range: (query: string, start: number, end: number) => Promise<RangeSeries[]>;
  columns: (query: string, start: number, end: number, step?: number) => Promise<Columns[]>;
}

/** Queries a data folder on a real Prometheus of its own. */
export async function withStorage<T>(dataDir: string, use: (storage: Storage) => Promise<T>): Promise<T> {
  const prometheus = await startEphemeralPrometheus(storageOf(dataDir));
  const columns = (query: string, start: number, end: number, step = 60) =>
    rangeQuery(prometheus.url, query, { start, end, step });
  try {
    return await use({
      values: async (query, time, label = 'status') => {
        const series = await instantQuery(prometheus.url, query, time);
        return Object.fromEntries(series.map(({ metric, value }) => [metric[label] ?? '', value]));
      },
      range: async (query, start, end) => (await columns(query, start, end)).map(rowsOf),
      columns,
    });
  } finally {
    await prometheus.stop();
  }
}

/** Entries of a data folder but Prometheus's own working files: blocks, and anything left over. */
export async function blocksAndLeftovers(dataDir: string): Promise<string[]> {
  const own = new Set(['wal', 'chunks_head', 'queries.active', 'lock', 'prometheus']);
  const names = [...(await readdir(dataDir)), ...(await readdir(storageOf(dataDir)))];
  return names.filter((name) => !own.has(name));
}
