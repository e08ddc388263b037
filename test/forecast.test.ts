import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RECORDED } from '../src/domain/names.ts';
import type { EphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { startRecorded } from './support/recorded.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const DAY = 86_400;
const MIDNIGHT = Date.UTC(2026, 2, 30) / 1000;
/** The day that is looked at has so many more transactions than others, from its first hour on. */
const TODAY = 1.2;
const AT = '2026-03-30T15:30:00Z';
const hourOf = (time: number) => Math.floor(((time - 1) % DAY) / 3600);
/** Approved a minute in an hour; a tenth of it is denied. */
const perMinute = (hour: number) => 10 + hour;

let prometheus: EphemeralPrometheus;
let service: Service;
beforeAll(async () => {
  const of = (status: string, share: number) => ({
    name: RECORDED.levels,
    labels: { level: 'total', status },
    at: (time: number) => {
      const scale = time > MIDNIGHT ? TODAY : 1;
      // Prometheus was down for half an hour: that hour is not known.
      const hole = time > MIDNIGHT - 20 * 3600 && time <= MIDNIGHT - 19.5 * 3600;
      return hole ? undefined : scale * share * perMinute(hourOf(time));
    },
  });
  prometheus = await startRecorded([of('approved', 1), of('denied', 0.1)], MIDNIGHT - 9 * DAY, Date.parse(AT) / 1000);
  service = await startService({ prometheusUrl: prometheus.url });
}, 60_000);
afterAll(async () => {
  await service?.close();
  await prometheus?.stop();
});

const read = async (path: string) => (await service.get(`/api/v1/${path}`)).json;

test('statistics: mean, deviation and percentiles of hours, by status and hour of the day', async () => {
  const { unit, statuses } = await read(`statistics?days=7&at=${AT}`);
  expect(unit).toBe('transactions in an hour');
  const denied = statuses.find(({ status }: { status: string }) => status === 'denied');
  const nine = denied.byHour[9];
  const usual = 60 * 0.1 * perMinute(9);
  expect(nine.hours).toBe(7);
  expect(nine.percentiles.p50).toBe(usual);
  expect(nine.mean).toBeCloseTo((6 * usual + Math.round(TODAY * usual)) / 7);
  expect(nine.deviation).toBeCloseTo((Math.round(TODAY * usual) - usual) / Math.sqrt(7), 5);
  expect(denied.byHour[4].hours).toBe(6);
  expect(denied.hours).toBe(7 * 24 - 1);
});

test('forecast: the hours to come at the level of today, with shares, and how far yesterday was off', async () => {
  const { day, asOf, soFar, rest, hours, yesterday } = await read(`forecast?at=${AT}`);
  expect([day, asOf]).toEqual(['2026-03-30', '2026-03-30T15:00:00.000Z']);
  expect(hours.map(({ hour }: { hour: number }) => hour)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23]);
  const of = (from: number, to: number) => {
    const numbers = Array.from({ length: to - from }, (_, i) => 60 * 1.1 * TODAY * perMinute(from + i));
    return numbers.reduce((total, number) => total + number, 0);
  };
  expect(soFar / of(0, 15)).toBeCloseTo(1, 2);
  expect(rest / of(15, 24)).toBeCloseTo(1, 2);
  expect(hours[0].shares.denied).toBeCloseTo(0.1 / 1.1, 2);
  expect(yesterday.off).toBeCloseTo(0, 3);
});

test('with --timezone days and hours are by its clock, also over a change of it', async () => {
  // On 29 March 2026 clocks in Berlin go from 02:00 to 03:00, which is 01:00 UTC.
  const calendar = join(temporaryFolder('calendar'), 'calendar.yml');
  writeFileSync(
    calendar,
    'planned: [{name: upgrade, from: 2026-03-29 23:00, lasts: 2h}, {name: a, from: 2026-03-30 01:00, lasts: 2h, of: {acquirer: a}}]',
  );
  const local = await startService({ prometheusUrl: prometheus.url, timezone: 'Europe/Berlin', calendar });
  const ask = async (path: string) => (await local.get(`/api/v1/${path}`)).json;
  const { day, timezone, hours } = await ask(`comparison?status=denied&at=${AT}`);
  expect([day, timezone]).toEqual(['2026-03-30', 'Europe/Berlin']);
  const denied = (utcHour: number, scale = 1) => Math.round(6 * scale * perMinute(utcHour));
  expect(hours[10]).toMatchObject({ today: denied(8, TODAY), yesterday: denied(8), sameDayLastWeek: denied(9) });
  expect([hours[2].yesterday, hours[2].sameDayLastWeek, hours[17].today]).toEqual([null, denied(1), null]);
  expect(await ask(`forecast?at=${AT}`)).toMatchObject({
    day: '2026-03-30',
    hours: [{ hour: 17 }, ...Array(6).fill({})],
  });
  const { statuses } = await ask(`statistics?days=7&at=${AT}`);
  const two = statuses.find(({ status }: { status: string }) => status === 'denied').byHour[2];
  expect(two.hours).toBe(6);
  const { planned } = await ask('series?status=denied&from=2026-03-28T00:00:00Z&to=2026-03-30T12:00:00Z');
  expect(planned).toEqual([{ name: 'upgrade', from: '2026-03-29T21:00:00.000Z', to: '2026-03-29T23:00:00.000Z' }]);
  await local.close();
});

test('what is wrong is said by name', async () => {
  const { status, json } = await service.get('/api/v1/statistics?days=90');
  expect([status, json.errors[0].path]).toEqual([422, 'days']);
  expect((await service.get('/api/v1/forecast?at=tomorrow')).json.errors[0].path).toBe('at');
});
