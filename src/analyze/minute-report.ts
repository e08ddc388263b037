import { NO_APPROVAL } from '../csv/files.ts';
import { APPROVED_CODES } from '../domain/auth-codes.ts';
import { plural } from '../domain/plural.ts';
import { utcMinute } from '../domain/times.ts';
import { formatCount, formatDuration, formatShare } from '../reports/format.ts';
import type { MinuteAnalysis } from './analyze.ts';
import type { Recurring } from './recurring.ts';
import type { ReportSection, ReportTable } from './report.ts';
import { sensitivitySection } from './sensitivity-report.ts';
import type { Stretch } from './stretches.ts';

const LISTED = 20;
const MOST_HYPOTHESES = 40;
const minuteTime = (minute: number): string => utcMinute(minute * 60);
/** The end of what begins at `from`: without the day where it is the same. */
const endOf = (from: number, to: number): string =>
  minuteTime(to).slice(Math.floor(from / 1440) === Math.floor(to / 1440) ? 11 : 5);
const n = (title: string) => ({ title, number: true });

/** The sections of a file by minute. */
export function minuteSections(analysis: MinuteAnalysis): ReportSection[] {
  return [
    totals(analysis),
    stretches(analysis),
    worst(analysis),
    ...(analysis.slices ? [slices(analysis)] : []),
    ...(analysis.codes ? [authCodes(analysis)] : []),
    hours(analysis),
    feed(analysis),
    sensitivitySection(analysis.sensitivity),
    hypotheses(analysis),
  ];
}

function totals({ statuses, from, to, minutes, total, codes }: MinuteAnalysis): ReportSection {
  return {
    id: 'totals',
    title: 'Totals',
    lead: `${minuteTime(from)} to ${minuteTime(to)} UTC (${formatDuration(to - from)}): ${plural(total, 'transaction')} in ${plural(minutes, 'minute')} that have a row.`,
    tables: [
      {
        columns: [
          { title: 'status' },
          n('count'),
          n('share'),
          n('a minute'),
          n('most in a minute'),
          { title: 'at (UTC)' },
        ],
        rows: statuses.map(({ status, count, share, perMinute, most }) => [
          status,
          formatCount(count),
          formatShare(share),
          formatCount(perMinute),
          formatCount(most.count),
          minuteTime(most.at),
        ]),
        empty: NO_APPROVAL,
      },
    ],
    ...(codes &&
      statuses.length > 0 &&
      !codes.some(({ code }) => APPROVED_CODES.includes(code)) && { notes: [NO_APPROVAL] }),
  };
}

function slices({ slices: all = [] }: MinuteAnalysis): ReportSection {
  const ranked = [...all].slice(0, LISTED);
  const nameOf = (labels: Readonly<Record<string, string>>) =>
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ') || 'without labels';
  return {
    id: 'slices',
    title: 'Slices',
    lead: 'Each set of labels by itself, the largest first: its counts, and its stretches above normal found as above.',
    tables: [
      {
        columns: [{ title: 'slice' }, n('count'), n('approved'), n('stretches'), { title: 'the worst' }],
        rows: ranked.map(({ labels, total: count, totals: own, stretches: found }) => {
          const [worstOne] = [...found].sort((a, b) => b.score - a.score);
          return [
            nameOf(labels),
            formatCount(count),
            formatShare((own.approved ?? 0) / Math.max(1, count)),
            formatCount(found.length),
            worstOne === undefined
              ? '-'
              : `${minuteTime(worstOne.from)} ${worstOne.status}, ${formatCount(worstOne.observed)} where ${formatCount(worstOne.expected)} are usual`,
          ];
        }),
      },
    ],
  };
}

function stretches({ stretches: all, recurring }: MinuteAnalysis): ReportSection {
  const ranked = [...all]
    .sort((a, b) => b.score - a.score)
    .slice(0, LISTED)
    .sort((a, b) => a.from - b.from);
  const withCodes = all.some(({ codes }) => codes !== undefined);
  return {
    id: 'stretches',
    title: 'Stretches above normal',
    lead:
      'Minutes above normal that follow each other within 10 minutes. Above normal: the count of 2, 5 or 15 minutes, less its busiest minute, is above the band of the rules ' +
      '(docs/detection.md) around what is usual. Usual: the median odds of the status per approved transaction in that hour of the day (UTC) on all days of the file, times the approved ' +
      'transactions of the minute. Score: the root of the Poisson deviance, about standard deviations from chance.',
    tables: [
      {
        columns: [
          { title: 'from (UTC)' },
          { title: 'to' },
          n('length'),
          { title: 'status' },
          n('observed'),
          n('usual'),
          n('times'),
          n('score'),
          n('worst minute'),
          ...(withCodes ? [{ title: 'auth codes above usual' }] : []),
        ],
        rows: ranked.map((stretch) => stretchRow(stretch, withCodes)),
        empty: 'None: no status was above its band for two minutes or more.',
      },
      ...(recurring.length === 0 ? [] : [recurringTable(recurring)]),
    ],
    ...(all.length > ranked.length && { notes: [`The ${ranked.length} with the highest scores, of ${all.length}.`] }),
  };
}

function recurringTable(recurring: readonly Recurring[]): ReportTable {
  const clock = (minute: number) => minuteTime(minute).slice(11);
  return {
    caption: 'Recurring at the same time of day, and left out above: the rules learn such a time in three days',
    columns: [{ title: 'status' }, { title: 'from (UTC)' }, { title: 'to' }, n('days'), n('typical count')],
    rows: recurring.map(({ status, fromMinuteOfDay, toMinuteOfDay, days, ofDays, typical }) => [
      status,
      clock(fromMinuteOfDay),
      clock(toMinuteOfDay),
      `${days} of ${ofDays}`,
      formatCount(typical),
    ]),
  };
}

function stretchRow({ from, to, status, observed, expected, score, peak, codes }: Stretch, withCodes: boolean) {
  return [
    minuteTime(from),
    endOf(from, to),
    formatDuration(to - from),
    { text: status, tone: 'bad' as const },
    formatCount(observed),
    formatCount(expected),
    // The ratio to next to nothing says nothing.
    expected < 1 ? '-' : `${formatCount(Number((observed / expected).toPrecision(2)))}x`,
    score.toFixed(1),
    `${minuteTime(peak.at).slice(11)} ${formatCount(peak.count)}`,
    ...(withCodes
      ? [(codes ?? []).map(({ code, excess }) => `${code} (+${formatCount(Math.round(excess))})`).join(', ') || '-']
      : []),
  ];
}

function worst({ worst: all }: MinuteAnalysis): ReportSection {
  return {
    id: 'worst',
    title: 'Worst minutes',
    lead: 'By score: (observed - usual) / sqrt(usual + c^2 usual^2 + 0.25), the score of the rules; c is the over-dispersion of the clean minutes.',
    tables: [
      {
        columns: [{ title: 'minute (UTC)' }, { title: 'status' }, n('observed'), n('usual'), n('excess'), n('score')],
        rows: all.map(({ at, status, observed, expected, score }) => [
          minuteTime(at),
          status,
          formatCount(observed),
          formatCount(expected),
          (observed > expected ? '+' : '') + formatCount(observed - expected),
          score.toFixed(1),
        ]),
        empty: 'None: the file has no denied, failed or reversed transaction.',
      },
    ],
  };
}

function authCodes({ codes = [] }: MinuteAnalysis): ReportSection {
  return {
    id: 'codes',
    title: 'Auth codes',
    lead: 'Meanings as in ISO 8583, field 39; networks add their own. Excess: what a code had in the stretches above its mean outside of them, where that is more than counting noise.',
    tables: [
      {
        columns: [
          { title: 'code' },
          { title: 'meaning' },
          n('count'),
          n('share'),
          n('of those not approved'),
          n('excess in stretches'),
        ],
        rows: codes
          .slice(0, LISTED)
          .map(({ code, meaning, count, share, shareOfDeclined, excessInStretches }) => [
            code,
            meaning,
            formatCount(count),
            formatShare(share),
            shareOfDeclined === undefined ? '-' : formatShare(shareOfDeclined),
            excessInStretches > 0 ? `+${formatCount(Math.round(excessInStretches))}` : '-',
          ]),
      },
    ],
    ...(codes.length > LISTED && { notes: [`The ${LISTED} commonest, of ${codes.length}.`] }),
  };
}

function hours({ hours: all, statuses }: MinuteAnalysis): ReportSection {
  const keys = statuses.map(({ status }) => status);
  const of = (key: string) => all.map(({ shares }) => shares[key] ?? 0);
  /** The distance above the status's lowest hour, so that what hardly changes is hardly shaded. */
  const heat = (key: string, share: number) => (share - Math.min(...of(key))) / Math.max(...of(key), Number.MIN_VALUE);
  return {
    id: 'hours',
    title: 'Hours of the day',
    lead: 'UTC, all days together, incidents included. Transactions a minute, then the share of each status.',
    tables: [
      {
        columns: [{ title: 'hour' }, n('minutes'), n('a minute'), ...keys.map(n)],
        rows: all.map(({ hour, minutes, perMinute, shares }) => [
          `${String(hour).padStart(2, '0')}h`,
          formatCount(minutes),
          formatCount(perMinute),
          ...keys.map((key) => {
            const share = shares[key] ?? 0;
            return key === 'approved' ? formatShare(share) : { text: formatShare(share), heat: heat(key, share) };
          }),
        ]),
      },
    ],
  };
}

function feed({ gaps, repeated, busiest }: MinuteAnalysis): ReportSection {
  const repeats =
    repeated.rows === 0
      ? 'No minute and status has two rows.'
      : `${plural(repeated.rows, 'row')} of a minute and status (or code) that an earlier row has too were added to it, first at ${repeated.first.map(minuteTime).join(', ')}.`;
  return {
    id: 'feed',
    title: 'The feed',
    lead: `${gaps.count === 0 ? 'No minute is missing.' : `${plural(gaps.minutes, 'minute')} without any row, in ${plural(gaps.count, 'gap')}.`} ${repeats}`,
    tables: [
      {
        caption: 'Gaps, the longest',
        columns: [{ title: 'from (UTC)' }, { title: 'to' }, n('length')],
        rows: gaps.longest.map(({ from, to, minutes }) => [minuteTime(from), minuteTime(to), formatDuration(minutes)]),
      },
      {
        caption: 'Busiest minutes',
        columns: [{ title: 'minute (UTC)' }, n('transactions')],
        rows: busiest.map(({ at, total }) => [minuteTime(at), formatCount(total)]),
      },
    ],
  };
}

/** What stands out, and what may have been behind it. */
function hypotheses({ hypotheses: all }: MinuteAnalysis): ReportSection {
  const shown = all.slice(-MOST_HYPOTHESES);
  return {
    id: 'hypotheses',
    title: 'What it may have been',
    lead:
      'A hypothesis for each stretch above normal, each gap of the feed, and each time in which traffic was 1.8 times or half that of the two hours before and after. ' +
      'It is what the counts look like, and no proof.',
    tables: [
      {
        columns: [{ title: 'from (UTC)' }, { title: 'to' }, { title: 'what' }, { title: 'hypothesis' }],
        rows: shown.map(({ from, to, what, hypothesis }) => [minuteTime(from), endOf(from, to), what, hypothesis]),
        empty: 'Nothing stands out.',
      },
    ],
    ...(all.length > shown.length && { notes: [`The last ${shown.length}, of ${all.length}.`] }),
  };
}
