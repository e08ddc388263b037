import { expect, test } from 'vitest';
import { UTC } from '../../src/calendar/calendar-file.ts';
import { type Marked, markSamples } from '../../src/calendar/marks.ts';
import { openZone } from '../../src/domain/zone.ts';
import { parseMetrics, startService } from '../support/service.ts';

const msOf = (time: string): number => Date.parse(time);

/** Denials of acme, from 03:00 to 03:20 of a Monday, marked on the same morning. */
const NIGHT: Marked = {
  verdict: 'incident',
  startsAt: msOf('2026-03-02T03:00:00Z'),
  endsAt: msOf('2026-03-02T03:20:00Z'),
  markedAt: msOf('2026-03-02T09:00:00Z'),
  labels: { status: 'denied', level: 'acquirer', acquirer: 'acme', service: 'payments' },
};

function agoAt(time: string, mark: Partial<Marked> = {}, zone = UTC): (string | undefined)[] {
  return markSamples([{ ...NIGHT, ...mark }], msOf(time) / 60_000, zone).map(({ labels }) => labels.ago);
}

test('an incident is named on the days after it at its time of day, with the hour after it', () => {
  const times = ['02:00', '02:01', '04:49', '04:50'];
  expect(times.map((time) => agoAt(`2026-03-03T${time}:00Z`))).toEqual([[], ['1d'], ['1d'], []]);
  expect(agoAt('2026-03-09T03:00:00Z')).toEqual(['7d']);
  expect(agoAt('2026-03-10T03:00:00Z')).toEqual([]);
  expect(agoAt('2026-03-16T03:00:00Z')).toEqual(['14d']);
});

test('what had been expected is named with its status, where its minutes are within half an hour', () => {
  const expected = { verdict: 'expected' } as const;
  const times = ['02:25', '02:26', '03:49', '03:50'];
  expect(times.map((time) => agoAt(`2026-03-03T${time}:00Z`, expected))).toEqual([[], ['1d'], ['1d'], []]);
  expect(markSamples([{ ...NIGHT, ...expected }], msOf('2026-03-03T03:00:00Z') / 60_000, UTC)).toEqual([
    {
      metric: 'tillwatch_mark',
      labels: { verdict: 'expected', ago: '1d', level: 'acquirer', status: 'denied', acquirer: 'acme' },
      value: 1,
    },
  ]);
});

test('nothing is known before somebody says it; an incident that lasts reaches until now', () => {
  const lasting = { endsAt: null, markedAt: msOf('2026-03-02T05:00:00Z') };
  expect(agoAt('2026-03-02T04:59:00Z', lasting)).toEqual([]);
  expect(agoAt('2026-03-02T05:00:00Z', lasting)).toEqual(['0d']);
  expect(agoAt('2026-03-03T04:00:00Z', { ...lasting, markedAt: msOf('2026-03-03T04:01:00Z') })).toEqual([]);
  expect(agoAt('2026-03-03T05:00:00Z', lasting)).toEqual(['1d', '0d']);
});

test('a day ago is the same local time of the day before', () => {
  const berlin = openZone('Europe/Berlin') ?? UTC;
  const before = { startsAt: msOf('2026-03-28T12:00:00Z'), endsAt: msOf('2026-03-28T12:10:00Z') };
  expect(agoAt('2026-03-29T10:30:00Z', before, berlin)).toEqual(['1d']);
  expect(agoAt('2026-03-29T12:40:00Z', before, berlin)).toEqual([]);
});

test('a mark is in /metrics a day after its incident, and an alert about Tillwatch is not', async () => {
  const service = await startService();
  try {
    const day = 86_400_000;
    for (const alertname of ['TransactionsDeniedAboveNormal', 'TillwatchDown'])
      await service.send('POST', '/api/v1/alertmanager', {
        version: '4',
        groupKey: '{}',
        status: 'resolved',
        receiver: 'journal',
        externalURL: 'http://am.example',
        groupLabels: {},
        commonLabels: {},
        commonAnnotations: {},
        alerts: [
          {
            status: 'resolved',
            labels: { alertname, severity: 'critical', status: 'denied', level: 'total' },
            annotations: {},
            startsAt: new Date(Date.now() - day - 600_000).toISOString(),
            endsAt: new Date(Date.now() - day).toISOString(),
            generatorURL: 'http://prometheus.example/graph',
            fingerprint: alertname,
          },
        ],
      });
    const { incidents } = (await service.get('/api/v1/incidents')).json;
    expect(incidents).toHaveLength(2);
    const marks = async () => {
      const metrics = parseMetrics(await (await fetch(`${service.url}/metrics`)).text());
      return [...metrics.keys()].filter((name) => name.startsWith('tillwatch_mark'));
    };
    expect(await marks()).toEqual([]);
    const mark = (verdict: string) =>
      Promise.all(
        incidents.map(({ id }: { id: string }) =>
          service.send('POST', `/api/v1/incidents/${id}/mark`, { verdict, by: 'ana' }),
        ),
      );
    await mark('incident');
    expect(await marks()).toEqual(['tillwatch_mark{verdict="incident",ago="1d",level="total"}']);
    await mark('expected');
    expect(await marks()).toEqual(['tillwatch_mark{verdict="expected",ago="1d",level="total",status="denied"}']);
  } finally {
    await service.close();
  }
});
