import { describe, expect, it } from 'vitest';
import { minutesOf, problemOf } from '../support/read-csv.ts';

const START = Date.UTC(2026, 10, 21, 12) / 1000;
/** The same numbers on each run, which look like chance. */
const counts = Array.from({ length: 200 }, (_, at) => 20 + (((at * at * 7919) % 97) % 23));
const summed = (rows: number) =>
  counts.map((_, at) => counts.slice(Math.max(0, at - rows + 1), at + 1).reduce((sum, count) => sum + count, 0));
const tableOf = (name: string, numbers: readonly number[], step: number) =>
  `Time,${name}\n${numbers
    .map((count, at) => `${new Date((START + at * step) * 1000).toISOString().slice(0, 19)},${count}`)
    .join('\n')}\n`;
const query = (window: string) => `"increase(transactions_total{status=""approved""}[${window}])"`;

describe('windows that overlap', () => {
  it.each([
    [
      'of a minute every 15 seconds',
      tableOf(query('1m'), summed(4), 15),
      'counts are of 1m each, and rows are 15s apart',
    ],
    [
      'of five minutes at each one',
      tableOf(query('5m'), summed(5), 60),
      'counts are of 5m each, and rows are 1m apart',
    ],
    [
      'named by a column',
      tableOf('status,count_5m', counts, 60).replaceAll(/,(\d+)$/gm, ',denied,$1'),
      'counts are of 5m each, and rows are 1m apart',
    ],
    [
      'that no name tells, by the counts',
      tableOf('approved', summed(4), 15),
      'each count looks like the sum of 4 rows',
    ],
    [
      'that no name tells, at each minute',
      tableOf('approved', summed(5), 60),
      'each count looks like the sum of 5 rows',
    ],
  ])('%s are refused, for their counts would be added up several times', async (_, text, message) => {
    const problem = await problemOf(text);
    expect(problem).toContain(message);
    expect(problem).toContain('export the counts of each minute');
  });

  it.each([
    ['a window as long as the step', tableOf(query('1m'), counts, 60)],
    ['counts of 15 seconds', tableOf('approved', counts, 15)],
    ['counts of a minute', tableOf('approved', counts, 60)],
    [
      'an incident, which steps up and down',
      tableOf(
        'approved',
        counts.map((count, at) => count + (at > 90 && at < 100 ? 500 : 0)),
        60,
      ),
    ],
    ...[4, 8, 19, 31].map((minutes): [string, string] => [
      `a wave of ${minutes} minutes`,
      tableOf(
        'approved',
        counts.map((_, at) => Math.round(100 + 40 * Math.sin((2 * Math.PI * at) / minutes))),
        60,
      ),
    ]),
  ])('are not %s', async (_, text) => {
    expect(await problemOf(text)).toBe('no problem');
  });
});

describe('totals that only grow', () => {
  const totals = summed(counts.length);

  it('are the last of each minute, where a minute has several', async () => {
    const added = (await minutesOf(tableOf('approved', totals, 15), { cumulative: true })).map((line) =>
      Number(line.split('=')[1]),
    );
    expect(added).toHaveLength(49);
    expect(added.reduce((sum, count) => sum + count, 0)).toBe((totals.at(-1) ?? 0) - (totals[3] ?? 0));
  });

  it('of several counters are refused, unless they are slices', async () => {
    const rows = totals
      .slice(0, 5)
      .flatMap((total, at) => [`${START + at * 60},a,approved,${total}`, `${START + at * 60},b,approved,${2 * total}`]);
    const text = `time,host,status,count\n${rows.join('\n')}\n`;
    expect(await problemOf(text, { cumulative: true })).toContain('pass --dimensions host if it tells them apart');
    expect(await minutesOf(text, { cumulative: true, dimensions: 'host' })).toHaveLength(4);
  });
});
