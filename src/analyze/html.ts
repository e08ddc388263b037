import type { Status } from '../domain/names.ts';
import { utcMinute } from '../domain/times.ts';
import { bandAt } from '../judge/band.ts';
import { barChart } from '../reports/bar-chart.ts';
import { changesSection } from '../reports/changes.ts';
import { type Color, STATUS_COLOR } from '../reports/colors.ts';
import type { Html } from '../reports/escape.ts';
import { formatCount, formatDuration, formatShare } from '../reports/format.ts';
import { page } from '../reports/page.ts';
import { badge, type Cell, type Fact, facts, heatCell, paragraph, table } from '../reports/table.ts';
import type { BandPoint, Point } from '../reports/thin.ts';
import { type Instant, type Span, timeChart } from '../reports/time-chart.ts';
import type { MinuteAnalysis } from './analyze.ts';
import { tailOf } from './band.ts';
import type { HourlyAnalysis } from './hourly.ts';
import { hourlySections, hourName } from './hourly-report.ts';
import { minuteSections } from './minute-report.ts';
import type { ReportCell, ReportSection } from './report.ts';
import type { BandTunables } from './tunables.ts';

type Judged = MinuteAnalysis['judged'][number];
const colorOf = (status: string): Color => STATUS_COLOR[status as Status] ?? 'vermilion';
const FOOTER = 'Made by tillwatch analyze. All times are UTC.';
/** Minutes that the chart of a stretch shows before and after it. */
const MARGIN = 60;
const CLOSE_UPS = 4;

/** The analysis of a file by minute as one HTML file. */
export function minutePage(
  name: string,
  analysis: MinuteAnalysis,
  tunables: BandTunables,
  changes: readonly Instant[] = [],
): Html {
  const charts: Record<string, Html[]> = {
    totals: [overview(analysis), volumeChart(analysis, changes)],
    stretches: analysis.judged.map((judged) => statusChart(judged, { analysis, tunables, changes })),
    worst: closeUps({ analysis, tunables, changes }),
    hours: [hourBars(analysis)],
  };
  const sections = [
    ...minuteSections(analysis).map((section) => toHtml(section, charts[section.id] ?? [])),
    ...changesSection(changes, analysis.from * 60, analysis.to * 60),
  ];
  return page({ title: `Analysis of ${name}`, sections, footer: FOOTER });
}

function toHtml({ title, lead, tables, notes = [] }: ReportSection, charts: readonly Html[]) {
  const rendered = tables.map(({ rows, ...rest }) => table({ ...rest, rows: rows.map((row) => row.map(cellOf)) }));
  return { title, ...(lead !== undefined && { lead }), body: [...charts, ...rendered, ...notes.map(paragraph)] };
}

function cellOf(cell: ReportCell): Cell {
  if (typeof cell === 'string') return cell;
  if (cell.heat !== undefined) return heatCell(cell.text, cell.heat);
  return badge(cell.text, cell.tone ?? 'plain');
}

function overview({ total, statuses, gaps, stretches, from, to }: MinuteAnalysis): Html {
  const approved = statuses.find(({ status }) => status === 'approved');
  const list: Fact[] = [
    { label: 'transactions', value: formatCount(total), note: `in ${formatDuration(to - from)}` },
    ...(approved
      ? [{ label: 'approved', value: formatShare(approved.share), note: `${formatCount(approved.perMinute)} a minute` }]
      : []),
    {
      label: 'stretches above normal',
      value: formatCount(stretches.length),
      tone: stretches.length > 0 ? 'bad' : 'good',
    },
    {
      label: 'gaps in the feed',
      value: formatCount(gaps.count),
      note: formatDuration(gaps.minutes),
      tone: gaps.count > 0 ? 'low' : 'good',
    },
  ];
  return facts(list);
}

/** Points that are made while they are drawn: a year of them is never in memory. */
const pointsOf = (minutes: Float64Array, values: Float64Array): Iterable<Point> => ({
  *[Symbol.iterator]() {
    for (let at = 0; at < minutes.length; at++) yield [(minutes[at] ?? 0) * 60, values[at] ?? 0] as const;
  },
});

function volumeChart({ all, gaps, from, to, judged }: MinuteAnalysis, changes: readonly Instant[]): Html {
  const long = to - from > 2 * 1440;
  return timeChart({
    title: 'Transactions a minute',
    ...(long && { note: `Each part of the chart shows its lowest and its highest minute. ${rangeNote(from, to)}` }),
    series: [{ name: 'all statuses', points: pointsOf(all.minutes, all.total), color: 'blue' }],
    spans: gaps.longest.map((gap) => ({
      kind: 'incident',
      from: gap.from * 60,
      to: gap.to * 60,
      label: `no data for ${formatDuration(gap.minutes)}`,
    })),
    spanNames: { incident: 'no data' },
    changes,
    from: from * 60,
    to: (to - 1) * 60,
    height: judged.length > 0 ? '12rem' : '16rem',
  });
}

const rangeNote = (from: number, to: number): string => `${utcMinute(from * 60)} to ${utcMinute(to * 60)} UTC`;

/**
 * From 0 to the band of two minutes, drawn for one: what a minute may have when the next is like
 * it.
 */
const bandOf = ({ minutes, expected, dispersion }: Judged, tunables: BandTunables): Iterable<BandPoint> => ({
  *[Symbol.iterator]() {
    for (let at = 0; at < minutes.length; at++) {
      const upper = bandAt(expected[at] ?? 0, tailOf(dispersion, tunables), tunables.z['2m'], tunables.noiseZ);
      yield [(minutes[at] ?? 0) * 60, 0, Math.max(upper, tunables.minEvents['2m'] - 0.5)] as const;
    }
  },
});

const spansOf = ({ stretches }: MinuteAnalysis, status: string): Span[] =>
  stretches
    .filter((stretch) => stretch.status === status)
    .map(({ from, to, observed, expected }) => ({
      kind: 'alert',
      from: from * 60,
      to: to * 60,
      label: `${formatCount(observed)} where ${formatCount(expected)} are usual`,
    }));

interface Drawn {
  analysis: MinuteAnalysis;
  tunables: BandTunables;
  changes: readonly Instant[];
}

function statusChart(
  judged: Judged,
  { analysis, tunables, changes }: Drawn,
  range?: { from: number; to: number },
): Html {
  const { from, to } = range ?? analysis;
  return timeChart({
    title: `${judged.status} a minute`,
    note: rangeNote(from, to),
    series: [{ name: judged.status, points: pointsOf(judged.minutes, judged.count), color: colorOf(judged.status) }],
    band: { name: 'normal for a minute', points: bandOf(judged, tunables) },
    spans: spansOf(analysis, judged.status),
    spanNames: { alert: 'above normal' },
    changes,
    from: from * 60,
    to: (to - 1) * 60,
    height: '12rem',
  });
}

/** Draws the worst stretches with an hour before and after them. */
function closeUps(drawn: Drawn): Html[] {
  const { analysis } = drawn;
  const worst = [...analysis.stretches].sort((a, b) => b.score - a.score).slice(0, CLOSE_UPS);
  return worst.flatMap(({ status, from, to }) => {
    const judged = analysis.judged.find((each) => each.status === status);
    const range = { from: Math.max(analysis.from, from - MARGIN), to: Math.min(analysis.to, to + MARGIN) };
    return judged ? [statusChart(judged, drawn, range)] : [];
  });
}

function hourBars({ hours }: MinuteAnalysis): Html {
  return barChart({
    title: 'Transactions a minute, by hour of the day',
    categories: hours.map(({ hour }) => hourName(hour)),
    bars: { name: 'transactions a minute', values: hours.map(({ perMinute }) => perMinute) },
    height: '10rem',
  });
}

/** The analysis of an hourly checkout file as one HTML file. */
export function hourlyPage(name: string, analysis: HourlyAnalysis): Html {
  const charts: Record<string, Html[]> = {
    'stand-out': [hourlyFacts(analysis), hourlyBars(analysis)],
    cumulative: [cumulativeBars(analysis)],
  };
  const sections = hourlySections(analysis).map((section) => toHtml(section, charts[section.id] ?? []));
  return page({ title: `Analysis of ${name}`, sections, footer: FOOTER.replace(' All times are UTC.', '') });
}

function hourlyFacts({ total, standOut, hours }: HourlyAnalysis): Html {
  return facts([
    { label: 'sales today', value: formatCount(total.today), note: `in ${hours.length} hours` },
    { label: 'expected', value: formatCount(total.expected) },
    ...Object.entries(total.compared).map(([column, sum]) => ({
      label: column.replaceAll('_', ' '),
      value: formatCount(sum),
    })),
    {
      label: 'runs of hours that stand out',
      value: String(standOut.length),
      tone: standOut.length > 0 ? 'bad' : 'good',
    },
  ]);
}

function hourlyBars({ hours, comparisons }: HourlyAnalysis): Html {
  const marked = hours.flatMap(({ verdict }, index) => (verdict === 'usual' ? [] : [{ index, verdict }]));
  return barChart({
    title: 'Sales by hour',
    note: 'Bars are today; the hatched range is usual around what is expected.',
    categories: hours.map(({ hour }) => hourName(hour)),
    bars: { name: 'today', values: hours.map(({ today }) => today) },
    marks: comparisons
      .filter((column) => column === 'same_day_last_week' || column === 'yesterday')
      .map((column) => ({
        name: column.replaceAll('_', ' '),
        values: hours.map(({ compared }) => compared[column] ?? null),
      })),
    range: { name: 'usual', values: hours.map(({ lower, upper }) => ({ lower, upper })) },
    flags: marked.map(({ index, verdict }) => ({
      index,
      sign: verdict === 'look' ? '?' : verdict === 'above' ? '▲' : '▼',
      label: verdict === 'look' ? 'worth a look' : verdict,
      color: verdict === 'above' ? 'vermilion' : 'purple',
    })),
    height: '18rem',
  });
}

function cumulativeBars({ cumulative }: HourlyAnalysis): Html {
  return barChart({
    title: 'Sales since midnight',
    categories: cumulative.map(({ hour }) => hourName(hour)),
    bars: { name: 'today', values: cumulative.map(({ today }) => today) },
    marks: [{ name: 'expected', values: cumulative.map(({ expected }) => expected), color: 'ochre' }],
  });
}
