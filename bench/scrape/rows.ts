import { median, milliseconds, type Row, ratio, row, whole } from '../load/rounds.ts';
import type { Measurements } from './measure.ts';

const pair = (one: readonly number[], other: readonly number[]): string =>
  `${milliseconds(median(one))} by ${milliseconds(median(other))}`;

/** What came out, held to the goals of issue 5. */
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
