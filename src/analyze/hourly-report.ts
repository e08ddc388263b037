import { formatCount, formatShare } from '../reports/format.ts';
import type { HourFinding, HourlyAnalysis, HourVerdict } from './hourly.ts';
import type { ReportCell, ReportSection } from './report.ts';

const n = (title: string) => ({ title, number: true });
export const hourName = (hour: number): string => `${String(hour).padStart(2, '0')}h`;
const titleOf = (column: string): string => column.replaceAll('_', ' ');

/** The sections of an hourly checkout file. */
export function hourlySections(analysis: HourlyAnalysis): ReportSection[] {
  return [standOut(analysis), byHour(analysis), cumulative(analysis)];
}

function standOut({ standOut: runs, total, spread, hours, comparisons }: HourlyAnalysis): ReportSection {
  const looks = hours.filter(({ verdict }) => verdict === 'look').map(({ hour }) => hourName(hour));
  return {
    id: 'stand-out',
    title: 'Hours that stand out',
    lead:
      `Today has ${formatCount(total.today)} sales where ${formatCount(total.expected)} are expected. Expected: the mean of the columns compared with, averages counting double. ` +
      `Usual: 99 of 100 counts that vary around it by counting noise and by ${formatShare(spread)}, ${comparisons.length > 1 ? 'which is what the columns differ by beyond that noise' : 'which is assumed, as a single column cannot tell'}. ` +
      'An hour stands out where chance would bring such a count less than once in 1,000 times; sales at zero, less than once in 200.',
    tables: [
      {
        columns: [{ title: 'hours' }, n('today'), n('expected'), n('of expected'), { title: 'verdict' }],
        rows: runs.map(({ from, to, today, expected, verdict }) => [
          from === to ? hourName(from) : `${hourName(from)} to ${hourName(to)}`,
          formatCount(today),
          formatCount(expected),
          ratio(today, expected),
          verdictCell(verdict),
        ]),
        empty: 'None.',
      },
    ],
    ...(looks.length > 0 && {
      notes: [
        `Worth a look, though chance may explain it: ${looks.join(', ')} (rarer than once in 200, or beyond every column by more than counting noise).`,
      ],
    }),
  };
}

const ratio = (today: number, expected: number): string =>
  expected > 0 ? `${((100 * today) / expected).toFixed(0)} %` : '-';

function verdictCell(verdict: HourVerdict): ReportCell {
  if (verdict === 'usual') return 'usual';
  if (verdict === 'look') return 'worth a look';
  return { text: verdict, tone: verdict === 'above' ? 'bad' : 'low' };
}

function byHour({ hours, comparisons }: HourlyAnalysis): ReportSection {
  return {
    id: 'hours',
    title: 'Hour by hour',
    lead: 'Score: standard deviations from expected. Chance: of a count as far out on its side.',
    tables: [
      {
        columns: [
          { title: 'hour' },
          n('today'),
          ...comparisons.map((column) => n(titleOf(column))),
          n('expected'),
          n('usual'),
          n('of expected'),
          n('score'),
          n('chance'),
          { title: 'verdict' },
        ],
        rows: hours.map((hour) => hourRow(hour, comparisons)),
      },
    ],
  };
}

function hourRow(finding: HourFinding, comparisons: HourlyAnalysis['comparisons']): ReportCell[] {
  const { hour, today, expected, lower, upper, score, chance, compared, verdict } = finding;
  return [
    hourName(hour),
    formatCount(today),
    ...comparisons.map((column) => formatCount(compared[column] ?? 0)),
    formatCount(expected),
    `${formatCount(lower)} to ${formatCount(upper)}`,
    ratio(today, expected),
    score.toFixed(1),
    chance < 0.0001 ? '< 0.01 %' : formatShare(chance),
    verdictCell(verdict),
  ];
}

function cumulative({ cumulative: rows, comparisons }: HourlyAnalysis): ReportSection {
  return {
    id: 'cumulative',
    title: 'The day so far',
    lead: 'Sums since midnight; in per cent: today of what each column had by then.',
    tables: [
      {
        columns: [
          { title: 'until the end of' },
          n('today'),
          n('expected'),
          n('of expected'),
          ...comparisons.map((column) => n(`of ${titleOf(column)}`)),
        ],
        rows: rows.map(({ hour, today, expected, compared }) => [
          hourName(hour),
          formatCount(today),
          formatCount(expected),
          ratio(today, expected),
          ...comparisons.map((column) => ratio(today, compared[column] ?? 0)),
        ]),
      },
    ],
  };
}
