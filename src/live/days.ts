import { get } from './api.ts';
import { byId, fill, h, sayingWhy, svg } from './dom.ts';
import { dayText, duration, startOfDay } from './format.ts';
import { incidentName, type Model } from './model.ts';
import type { Incident } from './wire.ts';

const DAYS = 7;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The strip tells quarters of an hour apart. */
const QUARTER_S = 900;
/** Quarters that were watched: those in which the alert that always fires did. */
const WATCHED = 'max_over_time(max(ALERTS{alertname="Watchdog", alertstate="firing"})[15m:1m])';
/** It is read anew when an incident changes, and else so often. */
const REREAD_MS = 10 * 60_000;

interface Day {
  from: number;
  to: number;
  /** Ends of watched quarters of an hour, milliseconds since the epoch. */
  watched: number[];
  incidents: Incident[];
}

/** Starts of the last days, the oldest first, by the reader's clock. */
function lastDays(now: number): { from: number; to: number }[] {
  const starts = [startOfDay(now)];
  while (starts.length < DAYS) starts.unshift(startOfDay((starts[0] ?? now) - DAY_MS / 2));
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? startOfDay(from + 1.5 * DAY_MS) }));
}

const end = ({ endsAt }: Incident, now: number): number => (endsAt === null ? now : Date.parse(endsAt));

/** Minutes in which any alert fired: two at a time count once. */
function firedMs({ from, to, incidents }: Day, now: number): number {
  const spans = incidents
    .map((one) => [Math.max(from, Date.parse(one.startsAt)), Math.min(to, end(one, now))] as const)
    .sort((a, b) => a[0] - b[0]);
  let [sum, until] = [0, from];
  for (const [start, stop] of spans) {
    sum += Math.max(0, stop - Math.max(start, until));
    until = Math.max(until, stop);
  }
  return sum;
}

function strip({ from, to, watched, incidents }: Day, now: number): SVGElement {
  const x = (time: number) => (240 * (Math.min(to, Math.max(from, time)) - from)) / (to - from);
  const bar = (start: number, stop: number, name: string) =>
    svg('rect', { x: x(start), y: 0, width: Math.max(1.5, x(stop) - x(start)), height: 14, class: name });
  return svg(
    'svg',
    { class: 'day-strip', viewBox: '0 0 240 14', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...watched.map((quarter) => bar(quarter - 1000 * QUARTER_S, Math.min(now, quarter), 'watched')),
    ...incidents.map((one) => bar(Date.parse(one.startsAt), end(one, now), one.severity)),
  );
}

function said(day: Day, now: number): string {
  const { incidents, watched, from, to } = day;
  const seconds = watched.length * QUARTER_S;
  const all = (Math.min(now, to) - from) / 1000;
  if (incidents.length > 0)
    return `${incidents.length} ${incidents.length === 1 ? 'alert' : 'alerts'}, ${duration(firedMs(day, now) / 1000)}`;
  if (watched.length === 0) return 'not watched';
  return seconds < all - 2 * QUARTER_S ? `no alert in ${duration(seconds)} that were watched` : 'no alert';
}

function line(day: Day, now: number): HTMLElement {
  const names = [...new Set(day.incidents.map(incidentName))];
  const today = now >= day.from && now < day.to;
  return h(
    'li',
    { class: 'day', title: names.join('\n') },
    h('b', {}, today ? 'Today so far' : dayText(day.from)),
    strip(day, now) as unknown as HTMLElement,
    h('span', { class: day.incidents.length > 0 ? 'had' : 'muted' }, said(day, now)),
  );
}

interface Answer {
  data: { result: { values: [number, string][] }[] };
}

async function watchedQuarters(from: number, now: number): Promise<number[]> {
  const start = from / 1000 + QUARTER_S;
  const end = Math.ceil(now / 1000 / QUARTER_S) * QUARTER_S;
  const asked = { query: WATCHED, start: String(start), end: String(end), step: String(QUARTER_S) };
  const { data } = await get<Answer>(`query_range?${new URLSearchParams(asked)}`);
  return (data.result[0]?.values ?? []).map(([at]) => at * 1000);
}

/** A strip of the last days: when was watched, and when something fired. */
export function createDays(): (model: Model) => void {
  let asked = '';
  async function load(key: string): Promise<void> {
    asked = key;
    await sayingWhy(byId('days-error'), async () => {
      const now = Date.now();
      const days = lastDays(now);
      const from = days[0]?.from ?? now;
      const [{ incidents }, watched] = await Promise.all([
        get<{ incidents: Incident[] }>('incidents?limit=100'),
        watchedQuarters(from, now),
      ]);
      if (asked !== key) return;
      const calling = incidents.filter(({ severity }) => severity === 'critical' || severity === 'warning');
      const filled = days.map((day) => ({
        ...day,
        watched: watched.filter((quarter) => quarter > day.from && quarter <= day.to),
        incidents: calling.filter((one) => Date.parse(one.startsAt) < day.to && end(one, now) > day.from),
      }));
      fill(byId('days-list'), [key, filled], () => filled.toReversed().map((day) => line(day, now)));
      byId('days-says').textContent =
        'Filled: watched. Red: a critical alert fired; amber: a warning. Empty: nobody watched.';
    });
  }
  return ({ incidents = [], state, link }) => {
    if (state === undefined || link.state !== 'live') return;
    const changed = incidents.map(({ id, endsAt }) => [id, endsAt]);
    const key = JSON.stringify([changed, state.path.prometheus.ok, Math.floor(Date.now() / REREAD_MS)]);
    if (key !== asked) void load(key);
  };
}
