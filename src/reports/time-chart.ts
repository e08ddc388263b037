import { utcMinute } from '../domain/times.ts';
import { timeTicks, valueTicks } from './axis.ts';
import { COLORS, type Color } from './colors.ts';
import { esc, type Html, jsonScript } from './escape.ts';
import { formatTick, formatValue, type Unit } from './format.ts';
import { frame, type LegendEntry } from './frame.ts';
import { type BandPoint, type Point, thin, thinBand } from './thin.ts';

/** Points in order of time: a list, or anything else that can be gone through twice. */
export interface TimeSeries {
  name: string;
  points: Iterable<Point>;
  color?: Color;
  /** Filled down to 0. */
  area?: boolean;
}

/** The normal range, shaded. Points are in order of time. */
export interface Band {
  name: string;
  points: Iterable<BandPoint>;
}

/**
 * A stretch of time. An `alert` is tinted with a bar above, an `incident` hatched with a bar below.
 * Seconds, end exclusive.
 */
export interface Span {
  kind: 'alert' | 'incident';
  from: number;
  to: number;
  /** Shown when pointed at. */
  label?: string;
}

/** A moment that is marked, such as a change: a dashed line over the height. */
export interface Instant {
  /** Seconds since the epoch. */
  time: number;
  /** Shown when pointed at. */
  label: string;
}

/** A point that is singled out. */
export interface Marker {
  time: number;
  value: number;
  label: string;
}

export interface TimeChartOptions {
  title: string;
  note?: string;
  series: readonly TimeSeries[];
  band?: Band;
  spans?: readonly Span[];
  spanNames?: Partial<Record<Span['kind'], string>>;
  changes?: readonly Instant[];
  markers?: readonly Marker[];
  markersName?: string;
  /** Seconds since the epoch; default: the range that the series cover. */
  from?: number;
  to?: number;
  /** Seconds between two points; a line is broken where they are further apart. Default 60. */
  step?: number;
  unit?: Unit;
  /** Any CSS length, default 15rem. */
  height?: string;
}

const [WIDTH, HEIGHT] = [1000, 100];
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

/**
 * Lines or areas over time, in UTC. A range of any length: the lowest and the highest of each part
 * are drawn (see thin.ts).
 */
export function timeChart(options: TimeChartOptions): Html {
  const { from, to } = rangeOf(options);
  const changes = (options.changes ?? []).filter(({ time }) => time >= from && time <= to);
  const unit = options.unit ?? 'count';
  const gap = (options.step ?? 60) * 1.5;
  const lines = options.series.map((series, index) => ({
    ...series,
    color: series.color ?? COLORS[index % COLORS.length] ?? 'blue',
    dash: DASHES[index % DASHES.length] ?? '',
    points: thin(series.points, from, to, gap),
  }));
  const band = options.band && { ...options.band, points: thinBand(options.band.points, from, to) };
  const ticks = valueTicks(highest(lines, band, options.markers));
  const scale: Scale = {
    x: (time) => ((time - from) / (to - from)) * WIDTH,
    y: (value) => HEIGHT - (value / (ticks.at(-1) ?? 1)) * HEIGHT,
  };
  const drawing = [
    ...ticks
      .slice(1)
      .map(
        (tick) => `<line class="grid" x1="0" x2="${WIDTH}" y1="${round(scale.y(tick))}" y2="${round(scale.y(tick))}"/>`,
      ),
    band ? bandPath(band.points, scale) : '',
    ...lines.flatMap((line) => linePaths(line, scale)),
  ];
  const percent = (time: number) => (scale.x(time) / WIDTH) * 100;
  return frame({
    title: options.title,
    note: options.note ?? `${utcMinute(from)} to ${utcMinute(to)} UTC`,
    label: `${options.title}. ${lines.map((line) => describe(line, unit)).join('; ')}`,
    legend: legendOf({ ...options, changes }, lines),
    height: options.height ?? '15rem',
    yTicks: ticks.map((tick) => ({ percent: scale.y(tick), label: formatTick(tick, unit) })),
    xTicks: timeTicks(from, to).map(({ at, label, minor }) => ({ percent: percent(at), label, minor })),
    plot: [
      ...(options.spans ?? []).flatMap((span) => spanBox(span, from, to, percent)),
      ...changes.map(
        ({ time, label }) =>
          `<span class="change" style="left:${percent(time).toFixed(2)}%" title="${esc(label)}"></span>`,
      ),
      `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${drawing.join('')}</svg>`,
      ...(options.markers ?? []).map(
        ({ time, value, label }) =>
          `<span class="marker" style="left:${percent(time).toFixed(2)}%;top:${scale.y(value).toFixed(1)}%;background:var(--vermilion)" title="${esc(label)}"></span>`,
      ),
      jsonScript(hoverData({ from, to, unit, near: Math.max(gap, (to - from) / 350) }, lines, band)),
    ].join('\n'),
  });
}

interface Scale {
  x: (time: number) => number;
  y: (value: number) => number;
}
type Line = TimeSeries & { points: readonly Point[]; color: Color; dash: string };
type DrawnBand = Band & { points: readonly BandPoint[] };

/** Goes through the points only where the range is not given. */
function rangeOf({ from, to, series }: TimeChartOptions): { from: number; to: number } {
  let [start, end] = [from ?? Number.POSITIVE_INFINITY, to ?? 0];
  if (from === undefined || to === undefined) {
    for (const [time] of series.flatMap(({ points }) => [...points])) {
      if (from === undefined) start = Math.min(start, time);
      if (to === undefined) end = Math.max(end, time);
    }
  }
  if (!Number.isFinite(start)) start = end;
  return { from: start, to: Math.max(end, start + 60) };
}

function highest(lines: readonly Line[], band: DrawnBand | undefined, markers: readonly Marker[] = []): number {
  const values = [
    ...lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0)),
    ...(band?.points.map(([, , upper]) => upper) ?? []),
    ...markers.map(({ value }) => value),
  ];
  return values.reduce((max, value) => Math.max(max, value), 0);
}

const round = (value: number): number => Math.round(value * 10) / 10;

function bandPath(points: readonly BandPoint[], { x, y }: Scale): Html {
  if (points.length === 0) return '';
  const upper = points.map(([time, , value]) => `${round(x(time))} ${round(y(value))}`);
  const lower = points.map(([time, value]) => `${round(x(time))} ${round(y(value))}`).reverse();
  return `<path d="M${[...upper, ...lower].join('L')}Z" fill="var(--grey)" fill-opacity=".22"/>`;
}

function linePaths(line: Line, { x, y }: Scale): Html[] {
  const runs = runsOf(line.points).map((run) => run.map(([time, value]) => `${round(x(time))} ${round(y(value))}`));
  // A point alone is drawn as a short stroke: a line to itself would not show.
  const stroke = runs.map((run) => (run.length === 1 ? `M${run[0]}h1` : `M${run.join('L')}`)).join('');
  const dash = line.dash === '' ? '' : ` stroke-dasharray="${line.dash}"`;
  const path = `<path d="${stroke}" fill="none" stroke="var(--${line.color})" stroke-width="1.5" stroke-linejoin="round"${dash}/>`;
  if (line.area !== true) return [path];
  const fill = runs.map((run) => `M${xOf(run[0])} ${HEIGHT}L${run.join('L')}L${xOf(run.at(-1))} ${HEIGHT}Z`).join('');
  return [`<path d="${fill}" fill="var(--${line.color})" fill-opacity=".16"/>`, path];
}

const xOf = (pair = ''): string => pair.slice(0, pair.indexOf(' '));

function runsOf(points: readonly Point[]): [number, number][][] {
  const runs: [number, number][][] = [];
  let run: [number, number][] = [];
  for (const [time, value] of points) {
    if (value === null) run = [];
    else {
      if (run.length === 0) runs.push(run);
      run.push([time, value]);
    }
  }
  return runs;
}

function spanBox(span: Span, from: number, to: number, percent: (time: number) => number): Html[] {
  if (span.to <= from || span.from >= to) return [];
  const [left, right] = [percent(Math.max(from, span.from)), percent(Math.min(to, span.to))];
  const title = span.label === undefined ? '' : ` title="${esc(span.label)}"`;
  return [
    `<div class="span ${span.kind}" style="left:${left.toFixed(2)}%;width:${(right - left).toFixed(2)}%"${title}></div>`,
  ];
}

function legendOf(
  { band, spans = [], spanNames = {}, changes = [], markers = [], markersName = 'marked' }: TimeChartOptions,
  lines: readonly Line[],
): LegendEntry[] {
  const kinds = new Set(spans.map(({ kind }) => kind));
  return [
    ...lines.map(({ name, color, dash }) => ({
      name,
      sign: `<svg viewBox="0 0 28 12" aria-hidden="true"><line x1="0" x2="28" y1="6" y2="6" stroke="var(--${color})" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>`,
    })),
    ...(band ? [{ name: band.name, sign: '<i style="background:var(--grey);opacity:.35"></i>' }] : []),
    ...[...kinds].map((kind) => ({ name: spanNames[kind] ?? kind, sign: `<i class="${kind}"></i>` })),
    ...(changes.length > 0 ? [{ name: 'change', sign: '<i class="change"></i>' }] : []),
    ...(markers.length > 0
      ? [{ name: markersName, sign: '<span class="marker" style="background:var(--vermilion)"></span>' }]
      : []),
  ];
}

function describe({ name, points }: Line, unit: Unit): string {
  const values = points.flatMap(([, value]) => value ?? []);
  if (values.length === 0) return `${name}: no values`;
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return `${name} from ${formatValue(low, unit)} to ${formatValue(high, unit)}`;
}

const precise = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(6)));

function hoverData(
  head: { from: number; to: number; unit: Unit; near: number },
  lines: readonly Line[],
  band: DrawnBand | undefined,
) {
  const known = lines.map(({ name, points }) => ({
    name,
    times: points.map(([time]) => time - head.from),
    values: points.map(([, value]) => precise(value)),
  }));
  const edges = band && {
    name: band.name,
    times: band.points.map(([time]) => time - head.from),
    values: band.points.map(([, lower]) => precise(lower)),
    uppers: band.points.map(([, , upper]) => precise(upper)),
  };
  return { ...head, lines: edges ? [...known, edges] : known };
}
