import type UPlot from 'uplot';
import { get } from './api.ts';
import { byId, fill, h, icon, sayingWhy } from './dom.ts';
import { capital, count, percent, words } from './format.ts';
import { currentLabels, type Model } from './model.ts';
import { axis, createChart, type PlotOptions, token } from './plot.ts';
import { type ComparedHour, type Comparison, type Forecast, type Labels, STATUSES, type Status } from './wire.ts';

type Column = 'today' | 'forecast' | 'yesterday' | 'sameDayLastWeek' | 'average7d' | 'average28d';
type Hour = ComparedHour & { forecast: number | null };

/** Lines differ in dashes as well as in colour. */
const COLUMNS: { key: Column; name: string; color: string; width: number; dash?: number[] }[] = [
  { key: 'today', name: 'Today', color: 'accent', width: 2.5 },
  { key: 'forecast', name: 'Expected', color: 'accent', width: 2, dash: [3, 4] },
  { key: 'yesterday', name: 'Yesterday', color: 'series-2', width: 1.5 },
  { key: 'sameDayLastWeek', name: 'Same day last week', color: 'series-3', width: 1.5, dash: [7, 4] },
  { key: 'average7d', name: '7-day average', color: 'series-4', width: 1.5, dash: [2, 3] },
  { key: 'average28d', name: '28-day average', color: 'muted', width: 1.5, dash: [10, 3, 2, 3] },
];

const hourText = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
const FAR = { above: '▲ above', below: '▼ below' } as const;

function options(hours: () => readonly ComparedHour[]): PlotOptions {
  return {
    padding: [8, 20, 0, 0],
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 1) * 1.08)] } },
    axes: [
      axis((splits) => splits.map((hour) => (Number.isInteger(hour) ? hourText(hour) : '')), {
        size: 32,
        space: 56,
        incrs: [1, 2, 3, 4, 6, 12],
        grid: { show: false },
      }),
      axis((splits) => splits.map(count), { size: 56 }),
    ],
    series: [
      {},
      ...COLUMNS.map(({ color, width, dash, key }) => ({
        stroke: () => token(color),
        width,
        ...(dash !== undefined && { dash }),
        points: { show: key === 'today', size: 6, fill: () => token(color) },
      })),
    ],
    hooks: { draw: [(plot) => ringFar(plot, hours())] },
  };
}

/** Hours far from normal get a ring; the table says the word. */
function ringFar(plot: UPlot, hours: readonly ComparedHour[]): void {
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = token('alert');
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const { hour, today, far } of hours) {
    if (far === null || today === null) continue;
    ctx.beginPath();
    ctx.arc(plot.valToPos(hour, 'x', true), plot.valToPos(today, 'y', true), 7 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.restore();
}

/** Drawn as the line itself is. */
function legend(): HTMLElement[] {
  return COLUMNS.map(({ name, color, width, dash = [] }) => {
    const sample = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    line.setAttribute('d', 'M0 5H28');
    line.setAttribute('class', `stroke-${color}`);
    line.setAttribute('stroke-width', String(width));
    line.setAttribute('stroke-dasharray', dash.join(' '));
    for (const [key, value] of [
      ['width', '28'],
      ['height', '10'],
      ['aria-hidden', 'true'],
    ] as const)
      sample.setAttribute(key, value);
    sample.append(line);
    return h('li', {}, sample, name);
  });
}

/** The forecast of the hours to come; nothing for a slice, which has none. */
function withForecast({ hours, status }: Comparison, forecast: Forecast | undefined): Hour[] {
  const coming = new Map(
    forecast?.hours.map(({ hour, total, counts }) => [hour, status === 'total' ? total : counts[status as Status]]),
  );
  return hours.map((hour) => ({ ...hour, forecast: coming.get(hour.hour) ?? null }));
}

/** The rest of the day in a sentence, and how far yesterday's forecast was off. */
function sayRest(status: string, forecast: Forecast | undefined): void {
  const { hours = [], yesterday = null, method = '' } = forecast ?? {};
  const of = (hour: Forecast['hours'][number]) =>
    status === 'total' ? hour.total : (hour.counts[status as Status] ?? 0);
  const rest = hours.reduce((sum, hour) => sum + of(hour), 0);
  const all = hours.reduce((sum, { total }) => sum + total, 0);
  const share = status === 'total' || all === 0 ? '' : `, ${percent(rest / all)} of all`;
  byId('hours-rest').textContent =
    hours.length === 0
      ? ''
      : `Rest of today: about ${count(rest)} ${status === 'total' ? 'transactions' : words(status)}${share}.`;
  const off =
    yesterday === null ? '' : `${count(Math.abs(100 * yesterday.off))} % ${yesterday.off < 0 ? 'too low' : 'too high'}`;
  byId('hours-missed').textContent =
    yesterday === null
      ? ''
      : `Yesterday at this time the forecast of all transactions was ${off}: ${count(yesterday.forecast)}, and ${count(yesterday.actual)} came.`;
  byId('hours-method').textContent = method === '' ? '' : `Expected: ${method}`;
}

function row(one: Hour): HTMLElement {
  const far = one.far && h('span', { class: 'badge alert' }, FAR[one.far]);
  return h(
    'tr',
    { class: one.far !== null && 'far' },
    h('th', { scope: 'row' }, hourText(one.hour), far),
    ...COLUMNS.map(({ key }) => h('td', { class: key === 'today' ? 'n today' : 'n' }, count(one[key]))),
  );
}

function table({ day, timezone }: Comparison, hours: readonly Hour[]): HTMLElement {
  const names = [`Hour (${timezone})`, ...COLUMNS.map(({ name }) => name)];
  return h(
    'table',
    { class: 'compact' },
    h('caption', { class: 'hidden-text' }, `Transactions by hour of ${day}, ${timezone}`),
    h('thead', {}, h('tr', {}, ...names.map((name, i) => h('th', { scope: 'col', class: i > 0 && 'n' }, name)))),
    h('tbody', {}, ...hours.map(row)),
  );
}

function inWords({ status, hours }: Comparison): string {
  const far = hours.filter((hour) => hour.far !== null);
  const said = far.map(({ hour, far: side }) => `${hourText(hour)} ${side}`).join(', ');
  return `${capital(words(status))} by hour, today and on other days. ${far.length === 0 ? 'No hour is far from normal.' : `Far from normal: ${said}.`} The numbers are in the table.`;
}

const path = (status: string, labels: Labels): string =>
  `comparison?${new URLSearchParams({ ...labels, status }).toString()}`;

export function createHours(): (model: Model) => void {
  let shown: Comparison | undefined;
  let asked = '';
  let labels: Labels = {};
  const box = byId('hours-chart');
  const chart = createChart(
    box,
    () => options(() => shown?.hours ?? []),
    (width) => (width < 500 ? 220 : 300),
  );
  const select = byId<HTMLSelectElement>('hours-status');
  select.append(...['total', ...STATUSES].map((status) => h('option', { value: status }, capital(words(status)))));
  select.addEventListener('change', () => void load());
  byId('hours-legend').append(...legend());

  function show(comparison: Comparison, forecast: Forecast | undefined): void {
    shown = comparison;
    const { day, timezone, definition, status } = comparison;
    const hours = withForecast(comparison, forecast);
    sayRest(status, forecast);
    byId('hours-day').textContent = `${day}, by hour, ${timezone}`;
    byId('hours-definition').textContent =
      `${capital(definition)}. The running hour is left out until it is complete.`.replace('..', '.');
    box.setAttribute('aria-label', inWords(comparison));
    chart.draw([
      hours.map(({ hour }) => hour),
      ...COLUMNS.map(({ key }) => hours.map((hour) => hour[key])),
    ] as UPlot.AlignedData);
    fill(byId('hours-table'), hours, () => [table(comparison, hours)]);
    const last = hours.findLast(({ today }) => today !== null)?.hour ?? 0;
    // The hour that just ended is what people look for: in the middle of what can be seen.
    byId('hours-table').scrollTop = Math.max(0, last - 6) * 28;
    const far = hours.filter((hour) => hour.far !== null).length;
    const compared = hours.some(({ today, average7d }) => today !== null && average7d !== null);
    fill(byId('hours-far'), [far, compared], () => {
      if (!compared) return ['No hour to compare yet'];
      const many = far === 0 ? 'No hour' : far === 1 ? '1 hour' : `${far} hours`;
      return [icon(far === 0 ? 'ok' : 'watch', 16), `${many} far from normal`];
    });
  }

  async function load(): Promise<void> {
    const key = path(select.value, labels);
    asked = `${key} ${Math.floor(Date.now() / 900_000)}`;
    const mine = asked;
    await sayingWhy(byId('hours-error'), async () => {
      const ofAll = Object.keys(labels).length === 0;
      const [comparison, forecast] = await Promise.all([
        get<Comparison>(key),
        ofAll ? get<Forecast>('forecast') : undefined,
      ]);
      if (asked === mine) show(comparison, forecast);
    });
  }

  return (model) => {
    labels = currentLabels(model);
    // A quarter of an hour is how stale the hours may be; a gone Prometheus is asked again by the
    // next state.
    if (asked !== `${path(select.value, labels)} ${Math.floor(Date.now() / 900_000)}` && model.link.state === 'live')
      void load();
  };
}
