import { expect, test } from 'vitest';
import { startEphemeralPrometheus } from '../../src/prometheus/ephemeral-prometheus.ts';
import { remoteWrite } from '../../src/prometheus/remote-write.ts';
import { tempDir } from '../support/temp-dir.ts';

test('more samples than Prometheus takes in a request, as of many slices, all arrive', async () => {
  const { url, stop } = await startEphemeralPrometheus(await tempDir(), undefined, { writable: true });
  try {
    const [from, samples, slices] = [Date.UTC(2026, 0, 5) / 1000, 4000, 500];
    const times = Array.from({ length: samples }, (_, index) => from + index * 60);
    const series = Array.from({ length: slices }, (_, slice) => ({
      labels: { __name__: 'counted', slice: String(slice) },
      ...{ times, values: times },
    }));
    await remoteWrite(url, series);
    const query = `sum(count_over_time(counted[${samples}m]))`;
    const parameters = new URLSearchParams({ query, time: String(times.at(-1)) });
    const answer = await (await fetch(`${url}/api/v1/query?${parameters}`)).json();
    expect(answer).toMatchObject({ data: { result: [{ value: [expect.anything(), String(samples * slices)] }] } });
  } finally {
    await stop();
  }
});
