import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCalendar, readEntries, readHistoryCalendar } from '../../src/calendar/calendar-file.ts';
import { samplesOf } from '../../src/calendar/series.ts';
import { describeNow } from '../../src/calendar/words.ts';
import { temporaryFolder } from '../support/service.ts';

function fileOf(text: string): string {
  const file = join(temporaryFolder('calendar'), 'calendar.yml');
  writeFileSync(file, text);
  return file;
}

const minuteOf = (time: string): number => Date.parse(time) / 60_000;
const open = (text: string, zone = 'UTC') => readCalendar(text === '' ? '' : fileOf(text), zone);

async function samplesAt(text: string, time: string, zone = 'UTC'): Promise<string[]> {
  const calendar = await open(text, zone);
  return samplesOf(calendar.at(minuteOf(time))).map(
    ({ metric, labels, value }) =>
      `${metric.replace('tillwatch_', '')} ${Object.entries(labels)
        .map(([name, label]) => `${name}=${label}`)
        .join(' ')} ${value}`,
  );
}

describe('days', () => {
  test('a public holiday lasts from local midnight to local midnight, and is like a Sunday', async () => {
    const text = 'holidays: [{country: BR, region: SP}]';
    const at = (time: string) => samplesAt(text, time, 'America/Sao_Paulo');
    expect(await at('2026-12-25T02:59:00Z')).not.toContainEqual(expect.stringContaining('holiday'));
    expect(await at('2026-12-25T03:00:00Z')).toContain('calendar kind=holiday name=Christmas Day like=sunday 1');
    expect(await at('2026-12-26T02:59:00Z')).toContain('calendar kind=holiday name=Christmas Day like=sunday 1');
    expect(await at('2026-12-26T03:00:00Z')).not.toContainEqual(expect.stringContaining('kind=holiday'));
    // A region's own.
    expect(await at('2026-07-09T12:00:00Z')).toContainEqual(expect.stringContaining('Revolução'));
  });

  test('on a day like a Sunday only the last Sunday says what is usual', async () => {
    const samples = await samplesAt('holidays: [{country: BR}]', '2026-12-25T12:00:00Z');
    const unlike = samples.filter((sample) => sample.includes('unlike')).map((sample) => /ago=(\S+)/.exec(sample)?.[1]);
    // Christmas 2026 is a Friday.
    expect(unlike).toEqual(['1d', '2d', '3d', '4d', '6d', '7d', '14d']);
  });

  test('on the days after it, it is left out', async () => {
    const samples = await samplesAt('holidays: [{country: BR}]', '2026-12-28T12:00:00Z');
    expect(samples.filter((sample) => sample.includes('unlike'))).toEqual([
      'calendar kind=unlike name=Christmas Day ago=3d 1',
    ]);
  });

  test('a factor says how many times the volume; without one it is not known', async () => {
    const text = 'days: [{name: Black Friday, date: 2026-11-27, factor: 2.5}, {name: fair, date: 2026-11-30}]';
    expect(await samplesAt(text, '2026-11-27T12:00:00Z')).toContain(
      'calendar kind=volume_factor name=Black Friday 2.5',
    );
    expect(await samplesAt(text, '2026-11-30T12:00:00Z')).toContain('calendar kind=volume_unsure name=fair 1');
  });

  test('days may recur', async () => {
    const text = 'days: [{name: pay day, date: 2026-01-05, rule: "FREQ=MONTHLY;BYMONTHDAY=5,20", factor: 1.6}]';
    expect(await samplesAt(text, '2026-11-20T12:00:00Z')).toContain('calendar kind=day name=pay day 1');
    expect(await samplesAt(text, '2026-11-21T12:00:00Z')).not.toContainEqual(expect.stringContaining('kind=day'));
  });
});

describe('kinds of day', () => {
  const text = 'holidays: [{country: BR}]';
  async function otherKind(time: string): Promise<(string | undefined)[]> {
    const samples = await samplesAt(text, time);
    return samples.filter((sample) => sample.includes('other_kind')).map((sample) => /ago=(\S+)/.exec(sample)?.[1]);
  }

  test('a working day leaves out the weekend and a holiday; one Saturday is too few to leave out the others', async () => {
    expect(await otherKind('2026-12-09T12:00:00Z')).toEqual(['3d', '4d']);
    expect(await otherKind('2026-12-12T12:00:00Z')).toEqual([]);
    // Christmas is a Friday.
    expect(await otherKind('2026-12-28T12:00:00Z')).toEqual(['1d', '2d', '3d']);
  });

  test('a Sunday after a holiday has two days of its kind', async () => {
    expect(await otherKind('2026-12-27T12:00:00Z')).toEqual(['1d', '3d', '4d', '5d', '6d']);
  });

  test('without a calendar and in UTC there are none', async () => {
    expect(await samplesAt('', '2026-11-25T12:00:00Z')).toEqual(['utc_offset_seconds  0']);
  });
});

describe('planned windows and campaigns', () => {
  test('a window is on from its first minute to its last, in local time', async () => {
    const text = 'planned: [{name: upgrade, from: 2026-11-29 01:00, to: 2026-11-29 03:00}]';
    const isOn = async (time: string) =>
      (await samplesAt(text, time, 'America/Sao_Paulo')).includes('calendar kind=planned name=upgrade level=total 1');
    const times = ['2026-11-29T03:59:00Z', '2026-11-29T04:00:00Z', '2026-11-29T05:59:00Z', '2026-11-29T06:00:00Z'];
    expect(await Promise.all(times.map(isOn))).toEqual([false, true, true, false]);
  });

  test('a window recurs at the same local time on both sides of a change of daylight saving, also over midnight', async () => {
    const text = 'planned: [{name: nightly, from: 2026-10-01 23:30, lasts: 1h, rule: FREQ=DAILY}]';
    const isOn = async (time: string) =>
      (await samplesAt(text, time, 'Europe/Berlin')).some((sample) => sample.includes('nightly'));
    const times = ['2026-10-24T22:29:00Z', '2026-10-24T22:15:00Z', '2026-10-25T22:15:00Z', '2026-10-25T23:15:00Z'];
    expect(await Promise.all(times.map(isOn))).toEqual([true, true, false, true]);
  });

  test('a slice is one label', async () => {
    const text = 'planned: [{name: acme, from: 2026-11-29 01:00, lasts: 2h, of: {acquirer: acme}}]';
    expect(await samplesAt(text, '2026-11-29T02:00:00Z')).toContain(
      'calendar kind=planned name=acme level=acquirer acquirer=acme 1',
    );
  });

  test('dates alone are whole days', async () => {
    const text = 'campaigns: [{name: sale, from: 2026-03-01, to: 2026-03-02}]';
    const isOn = async (time: string) => (await samplesAt(text, time)).some((sample) => sample.includes('campaign'));
    expect([await isOn('2026-03-02T23:59:00Z'), await isOn('2026-03-03T00:00:00Z')]).toEqual([true, false]);
  });
});

describe('the clock', () => {
  test('the offset is that of the zone, and a change is said two weeks ahead', async () => {
    const at = async (time: string) =>
      (await samplesAt('', time, 'Europe/Berlin')).filter((sample) => !sample.includes('other_kind'));
    expect(await at('2026-07-01T00:00:00Z')).toEqual(['utc_offset_seconds  7200']);
    expect(await at('2026-03-10T12:00:00Z')).toEqual(['utc_offset_seconds  3600']);
    const forward = 'calendar kind=clock_change name=daylight saving 1';
    expect(await at('2026-03-15T12:00:00Z')).toEqual(['utc_offset_seconds  3600', forward]);
    expect(await at('2026-03-29T04:00:00Z')).toEqual(['utc_offset_seconds  7200', forward]);
    expect(await at('2026-03-29T12:00:00Z')).toEqual(['utc_offset_seconds  7200']);
    expect(await at('2026-10-20T12:00:00Z')).toContain('calendar kind=clock_change name=daylight saving -1');
  });

  test('a history without zone and calendar has no such series', async () => {
    expect(await readHistoryCalendar('')).toBeUndefined();
    expect(await readHistoryCalendar('', 'UTC')).toBeUndefined();
    expect((await readHistoryCalendar('', 'Asia/Kolkata'))?.(0)).toContainEqual({
      metric: 'tillwatch_utc_offset_seconds',
      labels: {},
      value: 19_800,
    });
  });
});

test('one line says what today is and until when something is planned', async () => {
  const text = `
holidays: [{country: BR}]
planned: [{name: gateway upgrade, from: 2026-12-25 01:00, to: 2026-12-25 03:00}]
campaigns: [{name: sale, from: 2026-12-20, to: 2026-12-31, of: {channel: web}}]`;
  const calendar = await open(text);
  expect(describeNow(calendar, minuteOf('2026-12-25T02:00:00Z'))).toBe(
    'today: Christmas Day, like a Sunday; planned: gateway upgrade until 03:00 UTC; campaign: sale (channel web) until 2027-01-01 00:00 UTC',
  );
  expect(describeNow(calendar, minuteOf('2026-12-01T02:00:00Z'))).toBeUndefined();
});

test('each mistake is told with its line and what would be right', async () => {
  const text = `holiday: []
days:
  - {name: fair, date: 2026-02-30}
  - {name: fair, date: 2026-02-20, like: sundays, factr: 2}
planned:
  - {name: a, from: 2026-11-29 01:00}
  - {name: b, from: 2026-11-29 01:00, to: 2026-11-28 01:00}
  - {name: c, from: 2026-11-29 01:00, lasts: 2 hours}
  - {name: d, from: 2026-11-29 01:00, lasts: 2h, rule: FREQ=WEEKLY;BYDAY=SO}
  - {name: e, from: 2026-11-29 01:00, lasts: 2h, rule: FREQ=WEEKLY;BYDAYS=SU}
  - {name: f, from: 2026-11-29 01:00, lasts: 2h, of: {aquirer: acme}}
campaigns: {name: sale}
`;
  const { problems } = await readEntries(fileOf(text));
  expect(problems.map(({ line, message }) => `${line}: ${message}`).sort()).toEqual(
    [
      '1: unknown key "holiday"; did you mean "holidays"?',
      '3: days.0.date: "2026-02-30" must be a date such as 2026-12-24',
      '4: days.1.like: "sundays" must be one of sunday, monday, tuesday, wednesday, thursday, friday, saturday, or a date such as 2025-11-28',
      '4: days.1: unknown key "factr"; did you mean "factor"?',
      '6: planned.0: give either "to" or "lasts"',
      '7: planned.1.to: must be later than "from"',
      '8: planned.2.lasts: "2 hours" must be a duration such as 2h, 90m or 1d',
      '9: planned.3.rule: BYDAY=SO: must be days such as SU, MO,WE or -1FR',
      '10: planned.4.rule: "BYDAYS" is no part of a rule; did you mean BYDAY?',
      '11: planned.5.of: must name one label and its value; did you mean "acquirer"?',
      '12: campaigns: must be a list: begin each entry with "- "',
    ].sort(),
  );
});

test('a country or region that is not known is refused with those that are', async () => {
  const { problems } = await readEntries(fileOf('holidays:\n  - {country: BRA}\n  - {country: BR, region: XX}\n'));
  expect(problems.map(({ line, message }) => `${line}: ${message.slice(0, 70)}`)).toEqual([
    '2: holidays.0.country: "BRA" is not known; write it as ISO 3166 does, suc',
    '3: holidays.1.region: "XX" is not known; regions of BR are AC, AL, AM, AP',
  ]);
});

test('a date that Prometheus will not have any more is noted with its line; one that is not before is refused', async () => {
  const next = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const [lastYear, longAgo] = [400, 401].map((days) =>
    new Date(Date.parse(next) - days * 86_400_000).toISOString().slice(0, 10),
  );
  const day = (like = '') => `  - {name: sale, date: ${next}, like: ${like}}\n`;
  const { problems, notes } = await readEntries(fileOf(`days:\n${day(lastYear)}${day(longAgo)}`), 400);
  expect([problems, notes.map(({ line, message }) => `${line}: ${message.split(';')[0]}`)]).toEqual([
    [],
    ['3: days.1.like: is more than 400 days before that day'],
  ]);
  const wrong = await readEntries(fileOf(`days:\n${day(next)}`));
  expect(wrong.problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([
    '2: days.0.like: must be before "date"',
  ]);
});
