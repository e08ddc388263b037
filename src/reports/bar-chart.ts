import { valueTicks } from './axis.ts';
import { COLORS, type Color } from './colors.ts';
import { esc, type Html, jsonScript } from './escape.ts';
import { formatTick, formatValue, type Unit } from './format.ts';
import { frame, type LegendEntry } from './frame.ts';

/** One value for each category; null where there is none. */
export interface Marks {
  name: string;
  values: readonly (number | null)[];
  color?: Color;
}

export interface BarChartOptions {
  title: string;
  note?: string;
  /** Along the x axis: `00h`, `01h`, ... */
  categories: readonly string[];
  bars: Marks;
  /** Values that the bars are compared with: a stroke, the second a ring. */
  marks?: readonly Marks[];
  /** The normal range of each category, hatched. */
  range?: { name: string; values: readonly ({ lower: number; upper: number } | null)[] };
  /** Categories that stand out: a sign and a word above the bar. */
  flags?: readonly { index: number; sign: string; label: string; color?: Color }[];
  unit?: Unit;
  height?: string;
}

/** Bars by category, such as hours of the day, against marks and a normal range. */
export function barChart(options: BarChartOptions): Html {
  const { categories, bars, marks = [], range, flags = [] } = options;
  const unit = options.unit ?? 'count';
  const ticks = valueTicks(highest(options) * (flags.length > 0 ? 1.08 : 1));
  const top = ticks.at(-1) ?? 1;
  const place = placesOf(categories.length);
  const high = (value: number) => `${((value / top) * 100).toFixed(1)}%`;
  const color = bars.color ?? 'blue';
  const plot = categories.flatMap((_, index) => {
    const [value, normal] = [bars.values[index] ?? null, range?.values[index] ?? null];
    return [
      normal === null
        ? ''
        : `<div class="range" style="${place(index, 0.96)};bottom:${high(normal.lower)};height:${high(normal.upper - normal.lower)}"></div>`,
      value === null
        ? ''
        : `<div class="bar" style="${place(index, 0.62)};height:${high(value)};background:var(--${color})"></div>`,
      ...marks.map((mark, order) => markAt(mark, order, index, place, high)),
    ];
  });
  return frame({
    title: options.title,
    ...(options.note !== undefined && { note: options.note }),
    label: `${options.title}: ${categories.map((category, index) => `${category} ${shown(bars.values[index], unit)}`).join(', ')}`,
    legend: legendOf(options, color),
    height: options.height ?? '13rem',
    yTicks: ticks.map((tick) => ({ percent: 100 - (tick / top) * 100, label: formatTick(tick, unit) })),
    xTicks: categories.map((label, index) => ({
      percent: centre(index, categories.length),
      label,
      minor: categories.length > 12 && index % 3 !== 0,
    })),
    plot: [
      gridOf(ticks, top),
      ...plot.filter(Boolean),
      ...flags.map((flag) => flagAt(flag, options, high)),
      jsonScript(hoverData(options, unit)),
    ].join('\n'),
  });
}

const centre = (index: number, count: number): number => ((index + 0.5) / count) * 100;

const placesOf = (count: number) => (index: number, share: number) =>
  `left:${((index + (1 - share) / 2) * (100 / count)).toFixed(2)}%;width:${((share * 100) / count).toFixed(2)}%`;

const gridOf = (ticks: readonly number[], top: number): Html =>
  `<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${ticks
    .slice(1)
    .map((tick) => 100 - (tick / top) * 100)
    .map((y) => `<line class="grid" x1="0" x2="100" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`)
    .join('')}</svg>`;

function markAt(
  mark: Marks,
  order: number,
  index: number,
  place: ReturnType<typeof placesOf>,
  high: (value: number) => string,
): Html {
  const value = mark.values[index] ?? null;
  if (value === null) return '';
  const color = mark.color ?? COLORS[(order + 1) % COLORS.length] ?? 'ochre';
  if (order === 1) {
    const left = centre(index, mark.values.length).toFixed(2);
    return `<div class="mark ring" style="left:${left}%;bottom:${high(value)};border-color:var(--${color})"></div>`;
  }
  return `<div class="mark" style="${place(index, 0.86)};bottom:${high(value)};background:var(--${color})"></div>`;
}

function flagAt(
  flag: NonNullable<BarChartOptions['flags']>[number],
  options: BarChartOptions,
  high: (value: number) => string,
): Html {
  const tops = [options.bars, ...(options.marks ?? [])].map(({ values }) => values[flag.index] ?? 0);
  const highest = Math.max(...tops, options.range?.values[flag.index]?.upper ?? 0);
  const left = centre(flag.index, options.categories.length).toFixed(2);
  return `<span class="flag" style="left:${left}%;top:calc(100% - ${high(highest)} - .4rem);color:var(--${flag.color ?? 'vermilion'})" title="${esc(flag.label)}">${esc(flag.sign)}</span>`;
}

function highest({ bars, marks = [], range }: BarChartOptions): number {
  const values = [bars, ...marks].flatMap((series) => series.values.map((value) => value ?? 0));
  return Math.max(0, ...values, ...(range?.values.map((normal) => normal?.upper ?? 0) ?? []));
}

function legendOf({ bars, marks = [], range }: BarChartOptions, color: Color): LegendEntry[] {
  return [
    { name: bars.name, sign: `<i style="background:var(--${color})"></i>` },
    ...marks.map((mark, order) => {
      const shade = mark.color ?? COLORS[(order + 1) % COLORS.length];
      return {
        name: mark.name,
        sign:
          order === 1
            ? `<span class="mark ring" style="border-color:var(--${shade})"></span>`
            : `<span class="mark" style="background:var(--${shade})"></span>`,
      };
    }),
    ...(range ? [{ name: range.name, sign: '<span class="range"></span>' }] : []),
  ];
}

const shown = (value: number | null | undefined, unit: Unit): string =>
  value === null || value === undefined ? 'none' : formatValue(value, unit);

function hoverData({ categories, bars, marks = [], range, flags = [] }: BarChartOptions, unit: Unit) {
  const texts = categories.map((category, index) => {
    const normal = range?.values[index];
    return [
      category,
      ...[bars, ...marks].map(({ name, values }) => `${name}: ${shown(values[index], unit)}`),
      ...(range && normal
        ? [`${range.name}: ${formatValue(normal.lower, unit)} to ${formatValue(normal.upper, unit)}`]
        : []),
      ...flags.filter((flag) => flag.index === index).map(({ label }) => label),
    ].join('\n');
  });
  return { places: categories.map((_, index) => centre(index, categories.length) / 100), texts };
}
