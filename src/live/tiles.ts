import { byId, fill, h, icon, keyed, type Part, svg } from './dom.ts';
import { ARROWS, ageOf, capital, count, labelText, percent, RECOMMENDED, when, words } from './format.ts';
import { currentAnomalies, currentLabels, keyOf, labelSets, type Model, shownAnomalies } from './model.ts';
import type { Minute, Recent } from './recent.ts';
import type { Anomaly, Labels, Status } from './wire.ts';

const WIDTH = 120;
const HEIGHT = 32;

/** Minutes without a gap between them. A minute that is not known is a gap. */
function stretchesOf(minutes: readonly Minute[], bridged: number): Minute[][] {
  const stretches: Minute[][] = [];
  for (const minute of minutes) {
    if (minute.observed === undefined) continue;
    const last = stretches.at(-1)?.at(-1);
    if (last === undefined || minute.time - last.time > bridged) stretches.push([minute]);
    else stretches.at(-1)?.push(minute);
  }
  return stretches;
}

/** The last hour as a line over its band. Without scales: the numbers stand beside it. */
function sparkline(minutes: readonly Minute[], bridged: number): SVGElement {
  const [first, last] = [minutes[0]?.time ?? 0, minutes.at(-1)?.time ?? 1];
  const top = Math.max(1, ...minutes.map(({ observed = 0, upper = 0 }) => Math.max(observed, upper)));
  const x = (time: number) => (((time - first) / Math.max(1, last - first)) * WIDTH).toFixed(1);
  const y = (value: number) => (HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1);
  const lines = stretchesOf(minutes, bridged).map((stretch) =>
    svg('polyline', {
      class: 'spark-line',
      points: stretch.map(({ time, observed = 0 }) => `${x(time)},${y(observed)}`).join(' '),
    }),
  );
  const banded = minutes.filter(({ upper }) => upper !== undefined);
  const above = banded.map(({ time, upper = 0 }) => `${x(time)},${y(upper)}`);
  const below = banded.map(({ time, lower = 0 }) => `${x(time)},${y(lower)}`).reverse();
  return svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('polygon', { class: 'spark-band', points: [...above, ...below].join(' ') }),
    ...lines,
  );
}

function trendOf({ trend, lastMinute }: Anomaly): HTMLElement {
  if (trend === undefined || lastMinute.observed === undefined) return h('span', { class: 'trend' }, 'trend not known');
  const arrow = h('span', { class: 'arrow', 'aria-hidden': 'true' }, ARROWS[trend]);
  return h('span', { class: 'trend', 'data-trend': trend }, arrow, ` ${trend}`);
}

interface Tile {
  anomaly: Anomaly;
  total: number;
  minutes: readonly Minute[];
  /** Minutes further apart have a gap between them, seconds. */
  bridged: number;
  /** Nothing newer is known. */
  stale: boolean;
  /** A planned window of all traffic is on. */
  planned: boolean;
}

const VERDICTS = { ok: 'In its band', watch: 'Out of its band', alert: 'Alert', unknown: 'No band yet' } as const;
/** Statuses that the rules keep no band for. */
const UNBANDED: readonly Status[] = ['refunded', 'processing'];

function verdictOf({ anomaly, stale, planned }: Tile): string {
  const { status, recommendation, lastMinute } = anomaly;
  if (planned && !stale && recommendation === 'unknown') return 'Planned';
  if (stale || lastMinute.observed === undefined) return 'Not judged';
  return recommendation === 'unknown' && UNBANDED.includes(status) ? 'No band' : VERDICTS[recommendation];
}

/** As short as a tile is narrow. */
function normalOf({ anomaly: { status, lastMinute }, planned }: Tile): string {
  const { observed, expected, lower, upper } = lastMinute;
  if (expected === undefined) {
    if (UNBANDED.includes(status)) return 'counted, not compared';
    if (planned) return 'not judged meanwhile';
    return observed === undefined ? 'no count is known' : 'normal: being learned';
  }
  const bound = status === 'approved' ? lower && `min ${count(lower)}` : upper && `max ${count(upper)}`;
  return [`normal ${count(expected)}`, bound].filter(Boolean).join(' · ');
}

function body(tile: Tile): HTMLElement[] {
  const { anomaly, total, minutes, bridged } = tile;
  const { status, lastMinute, recommendation } = anomaly;
  const { observed } = lastMinute;
  return [
    h(
      'span',
      { class: 'tile-head' },
      h('b', {}, capital(words(status))),
      h(
        'span',
        { class: `badge ${recommendation}`, title: RECOMMENDED[recommendation] },
        icon(recommendation, 14),
        verdictOf(tile),
      ),
    ),
    h('span', { class: 'rate' }, h('strong', {}, count(observed)), ' a minute'),
    h('span', { class: 'normal' }, normalOf(tile)),
    h(
      'span',
      { class: 'spark-box' },
      minutes.length > 1 ? (sparkline(minutes, bridged) as unknown as HTMLElement) : '',
    ),
    h(
      'span',
      { class: 'tile-foot' },
      trendOf(anomaly),
      h('span', {}, total > 0 && observed !== undefined ? `${percent(observed / total)} of all` : ''),
    ),
  ];
}

function createTile(choose: (status: Status) => void, chosen: () => Status): Part<Tile> {
  const radio = h('input', { type: 'radio', name: 'status', class: 'hidden-text' });
  const content = h('span', { class: 'tile-body' });
  const node = h('label', { class: 'tile' }, radio, content);
  return {
    node,
    update(tile) {
      const { status, recommendation } = tile.anomaly;
      radio.value = status;
      radio.checked = chosen() === status;
      radio.onchange = () => choose(status);
      node.dataset.tone = recommendation;
      node.classList.toggle('stale', tile.stale);
      const { anomaly, total, minutes, stale, planned } = tile;
      fill(content, [anomaly, total, stale, planned, minutes.at(-1)?.time, minutes.length], () => body(tile));
    },
  };
}

function labelChoice(model: Model, choose: (labels: Labels) => void): void {
  const sets = labelSets(model.state).map((labels) => ({ labels, key: keyOf(labels), text: labelText(labels) }));
  const box = byId('label-choice');
  box.hidden = sets.length < 2;
  const options = [...sets].sort((a, b) => a.text.localeCompare(b.text));
  fill(box, options, () => {
    const select = h('select', {
      id: 'label-set',
      onchange: () => choose(options.find(({ key }) => key === select.value)?.labels ?? {}),
    });
    select.append(...options.map(({ key, text }) => h('option', { value: key }, text)));
    return [h('label', { for: 'label-set' }, 'Counts of: '), select];
  });
  const select = box.querySelector('select');
  if (select !== null) select.value = keyOf(currentLabels(model));
}

/** In a planned window nothing is called normal, not even the minute before it. */
const unjudged = (anomaly: Anomaly): Anomaly =>
  anomaly.recommendation === 'ok' ? { ...anomaly, recommendation: 'unknown' } : anomaly;

function sum({ state }: Model, total: number, isSummed: boolean): (HTMLElement | string)[] {
  const { lastKnown, path } = state ?? {};
  const at = path?.prometheus.ok === false ? (lastKnown?.at ?? path.prometheus.evaluatedAt) : undefined;
  if (at !== undefined) return ['Counts of ', when(at), ', ', ageOf(at), ' ago; nothing newer is known'];
  return [isSummed && anomaliesKnown(state) ? `${count(total)} transactions in all` : ''];
}
const anomaliesKnown = (state: Model['state']): boolean =>
  shownAnomalies(state).some(({ lastMinute }) => lastMinute.observed !== undefined);

export interface TileActions {
  choose(status: Status): void;
  chooseLabels(labels: Labels): void;
}

export function createTiles(recent: Recent, actions: TileActions): (model: Model) => void {
  return (model) => {
    const anomalies = currentAnomalies(model);
    byId('now').hidden = anomalies.length === 0;
    labelChoice(model, actions.chooseLabels);
    // Sales of a slow feed are spread over the minutes of a report, and are no part of a sum.
    const observed = recent.isSlow ? [] : anomalies.map(({ lastMinute }) => lastMinute.observed ?? 0);
    const total = observed.reduce((sum, value) => sum + value, 0);
    const stale = model.state?.path.prometheus.ok === false;
    fill(byId('total'), [stale, total, recent.isSlow, model.state?.lastKnown?.at], () =>
      sum(model, total, !recent.isSlow),
    );
    byId('now-title').textContent = stale ? 'What was known last, by status' : 'The last minute, by status';
    const labels = currentLabels(model);
    const planned = model.state?.planned !== undefined;
    const tiles = anomalies.map((anomaly) => ({
      anomaly: planned ? unjudged(anomaly) : anomaly,
      total,
      stale,
      planned,
      minutes: recent.of(anomaly.status, labels),
      bridged: recent.bridged,
    }));
    keyed(
      byId('tiles'),
      tiles,
      ({ anomaly }) => anomaly.status,
      () => createTile(actions.choose, () => model.status),
    );
  };
}
