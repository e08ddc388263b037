import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Labels, seriesText } from '../../src/domain/series-text.ts';
import { type EphemeralPrometheus, startEphemeralPrometheus } from '../../src/prometheus/ephemeral-prometheus.ts';
import { createBlocks, createOpenMetricsFile } from './openmetrics.ts';
import { temporaryFolder } from './service.ts';

export interface RecordedSeries {
  name: string;
  labels: Labels;
  /** The value at a minute, in seconds since the epoch; undefined where there is none. */
  at: (time: number) => number | undefined;
}

/**
 * A real Prometheus that holds one sample a minute of each series, between two times in seconds
 * since the epoch.
 */
export async function startRecorded(
  series: readonly RecordedSeries[],
  from: number,
  to: number,
): Promise<EphemeralPrometheus> {
  const folder = temporaryFolder('recorded');
  const data = join(folder, 'data');
  await mkdir(data);
  const file = await createOpenMetricsFile(join(folder, 'series.om'));
  for (const name of new Set(series.map((one) => one.name))) {
    await file.write(`# TYPE ${name} gauge\n`);
    for (const { labels, at } of series.filter((one) => one.name === name))
      for (let time = Math.ceil(from / 60) * 60; time <= to; time += 60) {
        const value = at(time);
        if (value !== undefined) await file.write(`${seriesText(name, labels)} ${value} ${time}\n`);
      }
  }
  await file.close();
  await createBlocks(file.path, data);
  return startEphemeralPrometheus(data);
}
