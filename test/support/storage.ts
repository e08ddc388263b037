import { readdir } from 'node:fs/promises';
import { storageOf } from '../../src/history.ts';
import { startPrivatePrometheus } from '../../src/private-prometheus.ts';
import { instantQuery, type RangeSeries, rangeQuery } from '../../src/private-queries.ts';

export interface Storage {
  /** Values of an instant query at a time (seconds), by the label asked for. */
  values: (query: string, time: number, label?: string) => Promise<Record<string, number>>;
  range: (query: string, start: number, end: number) => Promise<RangeSeries[]>;
}

/** Queries a data folder on a real Prometheus of its own. */
export async function withStorage<T>(dataDir: string, use: (storage: Storage) => Promise<T>): Promise<T> {
  const prometheus = await startPrivatePrometheus(storageOf(dataDir));
  try {
    return await use({
      values: async (query, time, label = 'status') => {
        const series = await instantQuery(prometheus.url, query, time);
        return Object.fromEntries(series.map(({ metric, value }) => [metric[label] ?? '', value]));
      },
      range: (query, start, end) => rangeQuery(prometheus.url, query, { start, end, step: 60 }),
    });
  } finally {
    await prometheus.stop();
  }
}

/** What lies in a data folder but Prometheus' own working files: blocks, and anything left over. */
export async function blocksAndLeftovers(dataDir: string): Promise<string[]> {
  const own = new Set(['wal', 'chunks_head', 'queries.active', 'lock', 'prometheus']);
  const names = [...(await readdir(dataDir)), ...(await readdir(storageOf(dataDir)))];
  return names.filter((name) => !own.has(name));
}
