import { get } from './api.ts';
import { byId, fill, h, sayingWhy } from './dom.ts';
import { capital, count, day, words } from './format.ts';
import type { Model } from './model.ts';
import { STATUSES, type Statistics, type Status } from './wire.ts';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const PERCENTILES = ['p5', 'p50', 'p95', 'p99'] as const;
const REREAD_MS = 15 * 60_000;

type OfStatus = Statistics['statuses'][number];

const hourText = (hour: number): string => String(hour).padStart(2, '0');

/** A cell darker the more it holds; the number is its name for those who do not see it. */
function cell(mean: number | undefined, most: number, name: string): HTMLElement {
  if (mean === undefined) return h('td', { class: 'none', title: `${name}: not known` }, '');
  const part = most === 0 ? 0 : mean / most;
  const text = h('span', { class: 'hidden-text' }, count(mean));
  const node = h('td', { title: `${name}: ${count(mean)}`, 'data-says': `${name}: ${count(mean)} in an hour` }, text);
  node.style.setProperty('--part', `${Math.round(100 * part)}%`);
  return node;
}

function heatmap({ status, byWeekday }: OfStatus): HTMLElement[] {
  const means = new Map(byWeekday.map(({ weekday, hour, mean }) => [`${weekday} ${hour}`, mean]));
  const most = Math.max(0, ...means.values());
  const head = HOURS.map((hour) =>
    h('th', { scope: 'col' }, hour % 3 === 0 ? hourText(hour) : h('span', { class: 'hidden-text' }, hourText(hour))),
  );
  return [
    h('caption', { class: 'hidden-text' }, `${capital(words(status))} in an hour, by weekday and hour`),
    h('thead', {}, h('tr', {}, h('td', {}), ...head)),
    h(
      'tbody',
      {},
      ...DAYS.map((day, i) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, day),
          ...HOURS.map((hour) => cell(means.get(`${i + 1} ${hour}`), most, `${day} ${hourText(hour)}:00`)),
        ),
      ),
    ),
  ];
}

const HEAD = ['Mean', 'Deviation', ...PERCENTILES.map((name) => `${name.slice(1)} %`)];
const numbers = ({ mean, deviation, percentiles }: Omit<OfStatus, 'status' | 'byHour' | 'byWeekday' | 'hours'>) =>
  [mean, deviation, ...PERCENTILES.map((name) => percentiles[name])].map((n) => h('td', { class: 'n' }, count(n)));

function table(name: string, caption: string, rows: HTMLElement[]): HTMLElement {
  const head = [name, ...HEAD].map((text, i) => h('th', { scope: 'col', class: i > 0 && 'n' }, text));
  const said = h('caption', { class: 'hidden-text' }, caption);
  return h('table', { class: 'compact' }, said, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
}

const byStatus = (statuses: readonly OfStatus[]): HTMLElement =>
  table(
    'Status',
    'Transactions in an hour by status',
    statuses.map((one) => h('tr', {}, h('th', { scope: 'row' }, capital(words(one.status))), ...numbers(one))),
  );

const byHour = ({ status, byHour: hours }: OfStatus): HTMLElement =>
  table(
    'Hour',
    `${capital(words(status))} in an hour, by hour of the day`,
    hours.map((one) => h('tr', {}, h('th', { scope: 'row' }, `${hourText(one.hour)}:00`), ...numbers(one))),
  );

/** Counts of an hour as they usually are: by hour and weekday, and by status. */
export function createPast(): (model: Model) => void {
  const select = byId<HTMLSelectElement>('past-status');
  select.append(...STATUSES.map((status) => h('option', { value: status }, capital(words(status)))));
  let known: Statistics | undefined;
  let asked = 0;
  let followed: Status | undefined;
  const heat = byId('heat');
  heat.addEventListener('pointerover', ({ target }) => {
    const says = target instanceof HTMLElement && target.dataset.says;
    if (says) byId('heat-readout').textContent = says;
  });

  function draw(): void {
    const one = known?.statuses.find(({ status }) => status === select.value);
    if (known === undefined || one === undefined) return;
    const { from, to, timezone, statuses } = known;
    const days = `${day(Date.parse(from))} to ${day(Date.parse(to))}`;
    const hours = one.hours === 0 ? 'No full hour is known yet' : `${count(one.hours)} hours are known`;
    fill(byId('past-says'), [days, one.hours], () => [
      `Transactions in an hour, ${days}; hours and weekdays by the clock of ${timezone}. ${hours}.`,
    ]);
    fill(heat, [one.status, one.byWeekday], () => heatmap(one));
    fill(byId('statistics'), statuses, () => [byStatus(statuses)]);
    fill(byId('statistics-hours'), [one.status, one.byHour], () => [byHour(one)]);
  }
  async function load(): Promise<void> {
    asked = Math.floor(Date.now() / REREAD_MS);
    await sayingWhy(byId('past-error'), async () => {
      known = await get<Statistics>('statistics');
    });
    draw();
  }
  select.addEventListener('change', draw);
  return ({ status, link, state }) => {
    // The status of the chart, until another one is chosen here.
    if (followed !== status) select.value = status;
    followed = status;
    const due = asked !== Math.floor(Date.now() / REREAD_MS);
    if (due && link.state === 'live' && state?.path.prometheus.ok) void load();
    draw();
  };
}
