import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RECORDED } from '../../src/domain/names.ts';
import { waitFor } from '../support/processes.ts';
import { startRecorded } from '../support/recorded.ts';
import { parseMetrics, startService, temporaryFolder } from '../support/service.ts';

test('a planned window is in /metrics and in the state, and a wrong calendar stops the start', async () => {
  const calendar = join(temporaryFolder('calendar'), 'calendar.yml');
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  writeFileSync(
    calendar,
    `planned: [{name: upgrade, from: ${yesterday}, lasts: 3d}, {name: acme, from: ${yesterday}, lasts: 3d, of: {acquirer: acme}}]`,
  );
  const service = await startService({ calendar, timezone: 'Asia/Kolkata' });
  try {
    const metrics = parseMetrics(await (await fetch(`${service.url}/metrics`)).text());
    expect(metrics.get('tillwatch_utc_offset_seconds')).toBe(19_800);
    // On a Monday, say, days of other kinds are there as well.
    const planned = [...metrics.keys()].filter((name) => name.startsWith('tillwatch_calendar{kind="planned"'));
    expect(planned).toEqual([
      'tillwatch_calendar{kind="planned",name="upgrade",level="total"}',
      'tillwatch_calendar{kind="planned",name="acme",level="acquirer",acquirer="acme"}',
    ]);
    const answer = await service.post({ counts: { approved: 1, denied: 50 } });
    expect(answer.json).toMatchObject({ recommendation: 'unknown', reason: 'planned: not judged (--calendar)' });
    const state = (await (await fetch(`${service.url}/api/v1/state`)).json()) as {
      calendar?: string;
      planned?: string;
    };
    expect(state.planned).toMatch(/^Planned: upgrade until \d{4}-\d\d-\d\d 00:00 Asia\/Kolkata$/);
    expect(state.calendar).toMatch(
      /^planned: upgrade until \d{4}-\d\d-\d\d 00:00 Asia\/Kolkata; planned: acme \(acquirer acme\) until/,
    );
  } finally {
    await service.close();
  }
  writeFileSync(calendar, 'planned:\n  - {name: upgrade, from: tomorrow, lasts: 2h}\n');
  await expect(startService({ calendar })).rejects.toThrow(
    /calendar\.yml:2: planned\.0\.from: "tomorrow" must be a local time such as 2026-11-29 01:00/,
  );
});

const DAY_MS = 86_400_000;
const dateBefore = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** A Prometheus that has three times the usual sales, from three days ago to yesterday. */
function threeTimesTheUsual() {
  const labels = { status: 'approved', level: 'total' };
  const series = Object.entries({ [RECORDED.perMinute]: 300, [RECORDED.usualDay]: 100 });
  const from = Date.parse(dateBefore(3)) / 1000;
  return startRecorded(
    series.map(([name, value]) => ({ name, labels, at: () => value })),
    from,
    from + 3 * 86_400,
  );
}

test('a day like a date has its volume, times the factor; until Prometheus has said it nobody knows it', async () => {
  const prometheus = await threeTimesTheUsual();
  const calendar = join(temporaryFolder('calendar'), 'calendar.yml');
  const like = dateBefore(2);
  // Today may end meanwhile.
  const days = [0, -1].map((ago) => `{name: sale, date: ${dateBefore(ago)}, like: ${like}, factor: 2}`);
  writeFileSync(calendar, `days: [${days}]`);
  const service = await startService({ calendar, prometheusUrl: prometheus.url });
  const volume = async () => {
    const metrics = parseMetrics(await (await fetch(`${service.url}/metrics`)).text());
    return [...metrics].find(([name]) => name.startsWith('tillwatch_calendar{kind="volume_'));
  };
  try {
    // It is asked for at the first scrape.
    expect(await volume()).toEqual(['tillwatch_calendar{kind="volume_unsure",name="sale"}', 1]);
    const isKnown = async () => (await volume())?.[0].includes('factor') === true;
    await waitFor(isKnown, { what: 'the volume of the day that today is like' });
    expect(await volume()).toEqual(['tillwatch_calendar{kind="volume_factor",name="sale"}', 6]);
    const { json } = await service.get('/api/v1/state');
    expect(json.calendar).toBe(`today: sale, like ${like}, 2 times the volume`);
  } finally {
    await service.close();
    await prometheus.stop();
  }
});
