import { median, milliseconds, type Row, ratio, row, whole } from '../load/rounds.ts';
import type { Measurements } from './measure.ts';
import type { measureMillion } from './million.ts';

const pair = (one: readonly number[], other: readonly number[]): string =>
  `${milliseconds(median(one))} by ${milliseconds(median(other))}`;

/** The results beside their goals. */
export function scrapeRows({ scrapes, memory, posts }: Measurements): Row[] {
  const { tillwatch, promClient, pushgateway } = scrapes;
  const [scraped, alone] = [posts.scraped, posts.alone].map((results) => results.map(({ p99 }) => p99)) as [
    number[],
    number[],
  ];
  const what = `/metrics with ${whole(memory.lines)} series after one report`;
  return [
    row(`${what} / prom-client`, '>=', 10, ratio(promClient, tillwatch), 'x faster', pair(tillwatch, promClient)),
    row(`${what} / Pushgateway`, '>=', 5, ratio(pushgateway, tillwatch), 'x faster', pair(tillwatch, pushgateway)),
    row(
      'p99 of a POST, 50 connections, scraped every second / not',
      '<=',
      3,
      ratio(scraped, alone),
      'x',
      pair(scraped, alone),
    ),
    memoryRow(memory),
  ];
}

/**
 * Heap and what it holds outside, after a collection: the resident size also counts pages of the
 * ledger's file, which the kernel takes back at will.
 */
function memoryRow({ full, empty, lines }: Measurements['memory']): Row {
  const held = full.heapUsed + full.external - empty.heapUsed - empty.external;
  const resident = Math.round((full.rss - empty.rss) / lines);
  return row('memory of a series (heap + external)', '<=', 400, held / lines, ' bytes', `resident ${resident} bytes`);
}

/** A scrape as Prometheus asks for it; the worst counts. */
export function millionRow({ first, later }: Awaited<ReturnType<typeof measureMillion>>): Row {
  const worst = Math.max(first.seconds, ...later.map(({ seconds }) => seconds));
  const usual = median(later.map(({ seconds }) => seconds));
  return row(
    '/metrics with 1,000,000 series, OpenMetrics and gzip, the slowest of six',
    '<=',
    2,
    worst,
    ' s',
    `first ${first.seconds.toPrecision(3)} s, then ${usual.toPrecision(3)} s; ${whole(first.bytes / 1e6)} MB packed`,
  );
}
