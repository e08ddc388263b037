import type UPlot from 'uplot';
import { get } from './api.ts';
import { type Far, farOf, inWords, readout, table } from './band-words.ts';
import { byId, fill, h } from './dom.ts';
import { capital, count, labelText, when, words } from './format.ts';
import { currentLabels, isGone, keyOf, type Model, shownAnomalies } from './model.ts';
import { axis, createChart, type PlotOptions, timeAxis, token } from './plot.ts';
import { bridgedSeconds, evaluatedAt, type Minute, minutesOf, seriesPath } from './recent.ts';
import { beyondInWords, beyondScale, scaleTop } from './scale.ts';
import type { Change, Incident, Labels, Planned, Series, Status } from './wire.ts';

export const RANGES = { '1h': 3600, '3h': 3 * 3600, '12h': 12 * 3600, '24h': 24 * 3600, '7d': 7 * 86_400 } as const;
export type Range = keyof typeof RANGES;

interface Shown {
  status: Status;
  labels: Labels;
  range: Range;
  step: number;
  /** Minutes that a report covers: between two reports of a slow feed is no gap. */
  reportMinutes: number;
  minutes: Minute[];
  incidents: readonly Incident[];
  changes: readonly Change[];
  planned: readonly Planned[];
}

function triangle(context: CanvasRenderingContext2D, x: number, y: number, size: number, far: Far): void {
  const tip = far === 'above' ? -size : size;
  context.beginPath();
  context.moveTo(x, y + tip);
  context.lineTo(x + size, y - tip * 0.7);
  context.lineTo(x - size, y - tip * 0.7);
  context.fill();
}

/**
 * Minutes out of the band, as triangles that point to where they are: a shape, not only a colour.
 */
function drawFar(plot: UPlot, { status, minutes }: Shown): void {
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = token('alert');
  ctx.strokeStyle = token('surface');
  const top = scaleTop(minutes);
  for (const minute of minutes) {
    const far = farOf(status, minute);
    if (far === undefined) continue;
    const x = plot.valToPos(minute.time, 'x', true);
    const y = plot.valToPos(Math.min(top, minute.observed ?? 0), 'y', true);
    triangle(ctx, x, Math.max(plot.bbox.top + 6 * devicePixelRatio, y), 5 * devicePixelRatio, far);
    ctx.stroke();
  }
  ctx.restore();
}

/** A stretch of time: a wash over the height, and a bar along the top. */
function drawStretch(plot: UPlot, startsAt: string, endsAt: string | null, wash: string, bar: string): void {
  const { ctx, bbox } = plot;
  const [from, to] = [plot.scales.x?.min ?? 0, plot.scales.x?.max ?? 0];
  const start = Math.max(from, Date.parse(startsAt) / 1000);
  const end = Math.min(to, endsAt === null ? to : Date.parse(endsAt) / 1000);
  if (end <= start) return;
  const [x0, x1] = [plot.valToPos(start, 'x', true), plot.valToPos(end, 'x', true)];
  ctx.save();
  ctx.fillStyle = token(wash);
  ctx.fillRect(x0, bbox.top, x1 - x0, bbox.height);
  ctx.fillStyle = token(bar);
  ctx.fillRect(x0, bbox.top, Math.max(2, x1 - x0), 3 * devicePixelRatio);
  ctx.restore();
}

/** Planned windows, and on top of them the times at which an alert fired. */
function drawStretches(plot: UPlot, { planned, incidents }: Shown): void {
  for (const { from, to } of planned) drawStretch(plot, from, to, 'line', 'muted');
  for (const { startsAt, endsAt } of incidents) drawStretch(plot, startsAt, endsAt, 'alert-wash', 'alert');
}

/** The changes that lie on the chart. */
const changesIn = ({ changes, minutes }: Shown): Change[] =>
  changes.filter(({ at }) => Date.parse(at) >= 1000 * (minutes[0]?.time ?? Number.POSITIVE_INFINITY));

/** A dashed line where something was changed; the list below the chart says what. */
function drawChanges(plot: UPlot, shown: Shown): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = token('series-3');
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at } of changesIn(shown)) {
    const x = plot.valToPos(Date.parse(at) / 1000, 'x', true);
    if (x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Lists the changes and planned windows that the chart shows as lines and grey stretches. */
function listChanges(shown: Shown): void {
  const found = [
    ...changesIn(shown).map(({ at, text, by }) => ({ at, until: '', text: by === '' ? text : `${text} (${by})` })),
    ...shown.planned.map(({ name, from, to }) => ({ at: from, until: to, text: `planned, not judged: ${name}` })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  byId('band-changes').hidden = found.length === 0;
  byId('legend-planned').hidden = shown.planned.length === 0;
  fill(byId('band-changes'), found, () =>
    found.map(({ at, until, text }) =>
      h('li', {}, when(at), until !== '' && ' to ', until !== '' && when(until), ` ${text}`),
    ),
  );
}

/** The chart is at least so wide. */
const LEAST_SECONDS = 600;

/** Indices of values with none beside them: no line would show them. */
function alone({ data }: UPlot, series: number): number[] {
  const values = data[series] ?? [];
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
}

function optionsFor(shown: () => Shown, read: (index: number | null) => void): PlotOptions {
  const none = { stroke: 'transparent', width: 0, points: { show: false } };
  return {
    padding: [8, 20, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_plot, first, last) => [Math.min(first, last - LEAST_SECONDS), last] },
      y: { range: () => [0, scaleTop(shown().minutes)] },
    },
    axes: [timeAxis(), axis((splits) => splits.map(count), { size: 52 })],
    series: [
      {},
      none,
      none,
      { stroke: () => token('muted'), width: 1.5, dash: [5, 4], points: { show: false } },
      { stroke: () => token('accent'), width: 2, points: { show: true, size: 5, filter: alone } },
    ],
    bands: [{ series: [1, 2], fill: () => token('band') }],
    hooks: {
      drawClear: [(plot) => drawStretches(plot, shown())],
      draw: [(plot) => drawChanges(plot, shown()), (plot) => drawFar(plot, shown())],
      setCursor: [(plot) => read(plot.cursor.idx ?? null)],
    },
  };
}

/** Columns for uPlot. Missing minutes become a null, so that a gap stays a gap. */
function columns(shown: Shown): UPlot.AlignedData {
  const { minutes, step } = shown;
  const rows: Minute[] = [];
  for (const minute of minutes) {
    const last = rows.at(-1);
    if (last !== undefined && minute.time - last.time > bridgedSeconds(shown)) rows.push({ time: last.time + step });
    rows.push(minute);
  }
  const pick = (value: (minute: Minute) => number | undefined) => rows.map((minute) => value(minute) ?? null);
  const lower = (minute: Minute) => (minute.upper === undefined ? undefined : (minute.lower ?? 0));
  return [
    rows.map(({ time }) => time),
    pick(({ upper }) => upper),
    pick(lower),
    pick(({ expected }) => expected),
    pick(({ observed }) => observed),
  ];
}

/** Minutes up to now. Where nothing newer is known the last one is empty, so that the chart ends in a gap. */
function untilNow(minutes: Minute[], bridged: number): Minute[] {
  const now = Math.floor(Date.now() / 1000);
  const last = minutes.at(-1)?.time;
  return last === undefined || now - last <= bridged ? minutes : [...minutes, { time: now }];
}

function rangeChoice(chosen: Range, choose: (range: Range) => void): void {
  byId('ranges').append(
    ...(Object.keys(RANGES) as Range[]).map((range) =>
      h(
        'label',
        {},
        h('input', {
          type: 'radio',
          name: 'range',
          value: range,
          checked: range === chosen,
          onchange: () => choose(range),
        }),
        h('span', {}, `${range.slice(0, -1)} ${range.slice(-1)}`),
      ),
    ),
  );
}

/** Left and right walk through the minutes, as the mouse does. */
function walkable(box: HTMLElement, read: (step: number | null) => void): void {
  box.tabIndex = 0;
  box.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    read(step);
  });
  box.addEventListener('blur', () => read(null));
}

function showing(shown: Shown, chart: ReturnType<typeof createChart>, fresh: boolean): void {
  const box = byId('band-chart');
  if (fresh) box.setAttribute('aria-label', `${inWords(shown)}. Left and right arrow keys walk through the minutes.`);
  chart.draw(columns(shown));
  listChanges(shown);
  fill(byId('band-beyond'), beyondScale(shown.minutes), () => beyondInWords(shown.minutes));
  fill(byId('band-table'), [shown.minutes.at(-1)?.time, shown.minutes.length, shown.status, shown.range], () =>
    table(shown),
  );
}

export interface BandChartOptions {
  range: Range;
  ranged(range: Range): void;
  /** Receives the minutes that were read. */
  loaded(read: Series): void;
}

export function createBandChart({ range: first, ranged, loaded }: BandChartOptions): (model: Model) => void {
  let shown: Shown = {
    status: 'denied',
    labels: {},
    range: first,
    step: 60,
    reportMinutes: 1,
    minutes: [],
    incidents: [],
    changes: [],
    planned: [],
  };
  let asked = '';
  let at: number | null = null;
  const byTime = (time: number | undefined) => shown.minutes.find((minute) => minute.time === time);
  const say = (minute: Minute | undefined) =>
    fill(byId('band-readout'), [shown.status, minute], () => readout(shown, minute));
  const read = (index: number | null) => {
    const times = chart.plot()?.data[0] ?? [];
    say(index === null ? shown.minutes.at(-1) : byTime(times[index]));
  };
  const chart = createChart(
    byId('band-chart'),
    () => optionsFor(() => shown, read),
    (width) => (width < 500 ? 220 : 300),
  );
  walkable(byId('band-chart'), (step) => {
    const end = shown.minutes.length - 1;
    at = step === null ? null : Math.min(end, Math.max(0, (at ?? end + (step < 0 ? 1 : 0)) + step));
    say(shown.minutes[at ?? end]);
  });
  rangeChoice(first, (range) => {
    shown = { ...shown, range };
    ranged(range);
    void load();
  });

  async function load(): Promise<void> {
    const { status, labels, range } = shown;
    const key = `${status} ${keyOf(labels)} ${range}`;
    asked = key;
    const from = Math.floor(Date.now() / 1000) - RANGES[range];
    const error = byId('band-error');
    try {
      const answer = await get<Series>(seriesPath(status, from, labels));
      const { step, reportMinutes, series, query, planned } = answer;
      if (step === 60) loaded(answer);
      if (asked !== key) return;
      const points = series.find((one) => keyOf(one.labels) === keyOf(labels))?.points ?? [];
      const minutes = untilNow(minutesOf(points), bridgedSeconds({ step, reportMinutes }));
      shown = { ...shown, step, reportMinutes, planned, minutes };
      byId<HTMLAnchorElement>('band-query').href = `explore?${new URLSearchParams({ query, range })}`;
      error.hidden = true;
      showing(shown, chart, true);
      read(null);
    } catch (problem) {
      if (asked !== key) return;
      asked = '';
      error.textContent = problem instanceof Error ? problem.message : String(problem);
      error.hidden = false;
    }
  }

  /**
   * Adds the minute that a new state brings. Fetches anew where minutes are missing in between, and
   * where a minute may turn out to be none: between two reports, and at the start of a silence.
   */
  function grow(model: Model): void {
    const { state } = model;
    const last = shown.minutes.at(-1)?.time;
    if (state === undefined || !state.path.prometheus.ok || last === undefined) return;
    const time = evaluatedAt(state);
    if (time <= last) return;
    const now = state.anomalies.find(
      ({ status, labels }) => status === shown.status && keyOf(labels) === keyOf(shown.labels),
    );
    const isSilent = now?.lastMinute.observed === undefined && shown.minutes.at(-1)?.observed !== undefined;
    if (time - last > 2.5 * shown.step || shown.reportMinutes > 1 || isSilent) return void load();
    if (now === undefined) return;
    // Sooner than a step: the newest minute as it is now, in the place of what was read of it.
    const until = time - last < 0.75 * shown.step ? last : time;
    const since = time - RANGES[shown.range];
    const kept = shown.minutes.filter((minute) => minute.time >= since && minute.time < until);
    shown = { ...shown, minutes: [...kept, { time, ...now.lastMinute }] };
    showing(shown, chart, true);
    if (at === null) read(null);
  }

  return (model) => {
    const labels = currentLabels(model);
    const known = shownAnomalies(model.state).length > 0;
    byId('band').hidden = !known;
    if (!known) return;
    const incidents = (model.incidents ?? []).filter((incident) => incident.labels.status === model.status);
    const { changes = [] } = model;
    const redraw = JSON.stringify([incidents, changes]) !== JSON.stringify([shown.incidents, shown.changes]);
    const changed = asked === '' || shown.status !== model.status || keyOf(shown.labels) !== keyOf(labels);
    shown = { ...shown, status: model.status, labels, incidents, changes, ...(changed && { minutes: [] }) };
    const of = Object.keys(labels).length === 0 ? '' : `, ${labelText(labels)}`;
    byId('band-title').textContent = `${capital(words(model.status))} against normal${of}`;
    const gone = isGone(model.state);
    byId('band').classList.toggle('blind', gone && shown.minutes.length === 0);
    // It is read once Prometheus is back.
    if (changed && gone) asked = '';
    else if (changed) void load();
    else if (redraw) {
      chart.plot()?.redraw();
      listChanges(shown);
    }
    grow(model);
  };
}
