import { expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { createTestIo } from './support/command-io.ts';

/**
 * What the rules make of days, as `tillwatch backtest` tells it. promtool takes minutes for such
 * stories.
 */

const START = Date.UTC(2026, 0, 5);
const DAY = 1440;
/** ISO 8601 of a minute, counted from the start of the history, and back. */
const timeOf = (minute: number) => new Date(START + minute * 60_000).toISOString();
const minuteOf = (time: string) => (Date.parse(time) - START) / 60_000;

/** Counts by status of each acquirer; undefined in a minute without a report. */
type Reported = Record<string, Record<string, number>> | undefined;

interface Alert {
  alertname: string;
  labels: Record<string, string>;
  startsAt: string;
  endsAt: string | null;
}

/**
 * Plays so many minutes.
 * @returns of each alert its name, status and acquirer, and the minutes in which it began and ended
 */
async function alertsOn(minutes: number, reported: (minute: number) => Reported) {
  const rows = Array.from({ length: minutes }, (_, minute) =>
    Object.entries(reported(minute) ?? {}).flatMap(([acquirer, counts]) =>
      Object.entries(counts).map(([status, count]) => `${timeOf(minute)},${acquirer},${status},${count}`),
    ),
  );
  const io = createTestIo({ stdin: ['timestamp,acquirer,status,count', ...rows.flat()].join('\n') });
  expect(await run(['backtest', '-', '--dimensions', 'acquirer', '--json'], io), io.written.stderr).toBe(0);
  const { alerts } = JSON.parse(io.written.stdout) as { alerts: Alert[] };
  return alerts.map(({ alertname, labels, startsAt, endsAt }) => ({
    alert: [alertname, labels.status, labels.acquirer].filter(Boolean).join(' '),
    began: minuteOf(startsAt),
    ended: endsAt === null ? null : minuteOf(endsAt),
  }));
}

const between = (from: number, to: number) =>
  expect.toSatisfy((minute: number) => minute >= from && minute <= to, `from ${from} to ${to}`);

test('a nightly batch is learned in three days, also when it is late, and told when it is three times as large', async () => {
  const alerts = await alertsOn(3 * DAY + 240, (minute) => {
    const [last, at] = [minute >= 3 * DAY, minute % DAY];
    const within = (from: number) => at >= from && at < from + 10;
    const reversed = within(last ? 200 : 180) ? 20 : 1;
    const backendReversed = within(180) ? (last ? 60 : 20) : 1;
    return { '': { approved: 100, reversed, backend_reversed: backendReversed } };
  });
  const name = 'TransactionsReversedAboveNormal';
  const night = (day: number, status: string) => ({
    alert: `${name} ${status}`,
    began: between(day * DAY + 182, day * DAY + 185),
    ended: between(day * DAY + 193, day * DAY + 205),
  });
  const nights = [0, 1, 2].flatMap((day) => ['backend_reversed', 'reversed'].map((status) => night(day, status)));
  expect(alerts).toEqual([...nights, night(3, 'backend_reversed')]);
});

test('half the sales and none at all are told, then a dead feed; somewhat fewer and one bad minute are not', async () => {
  const alerts = await alertsOn(1620, (minute) => {
    if (minute >= 1560 && minute < 1619) return undefined;
    const bad = minute >= 1500 && minute < 1520;
    return {
      half: { approved: bad ? 50 : 100 },
      none: { approved: bad ? 0 : 100 },
      fewer: { approved: bad ? 85 : 100 },
      'one bad minute': { approved: minute === 1500 ? 0 : 100 },
      more: { approved: minute >= 1510 && minute < 1520 ? 200 : 100 },
    };
  });
  expect(alerts).toEqual([
    { alert: 'TransactionsVolumeBelowNormal approved none', began: between(1502, 1504), ended: between(1521, 1560) },
    { alert: 'TransactionsVolumeBelowNormal approved half', began: between(1503, 1515), ended: between(1521, 1560) },
    { alert: 'TransactionsReportsMissing', began: between(1562, 1564), ended: null },
  ]);
});

test('sales somewhat low for an hour are told, and so is their end; an outage that is over is told once', async () => {
  const alerts = await alertsOn(2000, (minute) => {
    const within = (length: number) => minute >= 1800 && minute < 1800 + length;
    return {
      low: { approved: within(90) ? 70 : 100 },
      'low for half an hour': { approved: within(30) ? 70 : 100 },
      rest: { approved: 2000 },
      outage: { approved: within(25) ? 0 : within(120) ? 90 : 100 },
    };
  });
  expect(alerts).toEqual([
    { alert: 'TransactionsVolumeBelowNormal approved outage', began: between(1802, 1804), ended: between(1826, 1850) },
    { alert: 'TransactionsVolumeBelowNormal approved low', began: between(1845, 1862), ended: between(1891, 1910) },
  ]);
});

test('a night without sales or reports is told once, and then known', async () => {
  const minutes = DAY + 201;
  const alerts = await alertsOn(minutes, (minute) => {
    if (minute === 0) return { '': { approved: 0 } };
    const at = minute % DAY;
    return (at >= 360 && at < 1200) || minute === minutes - 1 ? { '': { approved: 100 } } : undefined;
  });
  expect(alerts).toEqual([
    { alert: 'TransactionsReportsMissing', began: between(1202, 1204), ended: between(1204, DAY + 3) },
  ]);
});

test('a feed of a report every 15 minutes is told on its second bad one, and over after a good one', async () => {
  const alerts = await alertsOn(1695, (minute) => {
    if (minute % 15 !== 14) return undefined;
    const [denials, sales] = [minute >= 1515 && minute < 1575, minute < 1620 || minute >= 1665];
    return { '': { approved: sales ? 1500 : 0, denied: denials ? 750 : sales ? 150 : 0 } };
  });
  // In its first hour its rhythm is not known.
  expect(alerts.filter(({ began }) => began >= 60)).toEqual([
    { alert: 'TransactionsDeniedAboveNormal denied', began: between(1545, 1550), ended: between(1576, 1605) },
    { alert: 'TransactionsVolumeBelowNormal approved', began: between(1635, 1650), ended: between(1666, 1695) },
  ]);
});

test('of a shop that is open for eight hours only what is above their normal is told, not that it closes', async () => {
  const alerts = await alertsOn(DAY + 1100, (minute) => {
    const at = minute % DAY;
    const isOpen = (at >= 540 && at < 1020) || minute === DAY + 1099;
    const isBad = minute >= DAY + 720 && minute < DAY + 740;
    return isOpen ? { '': { approved: 100, denied: isBad ? 30 : 10 } } : undefined;
  });
  // What is usual is known from the second day on.
  expect(alerts.filter(({ began }) => began > DAY + 540)).toEqual([
    {
      alert: 'TransactionsDeniedAboveNormal denied',
      began: between(DAY + 721, DAY + 724),
      ended: between(DAY + 741, DAY + 760),
    },
  ]);
});
