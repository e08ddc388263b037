import { utcMinute } from '../domain/times.ts';
import { changesSection } from '../reports/changes.ts';
import type { Html } from '../reports/escape.ts';
import { formatCount, formatShare } from '../reports/format.ts';
import { page, type Section } from '../reports/page.ts';
import { badge, type Cell, type Column, type Fact, facts, paragraph, table } from '../reports/table.ts';
import { chart, type Drawn, lengthOf, spansOf } from './charts.ts';
import { compareAlerts, describeDifference } from './compare.ts';
import type { Curve } from './curves.ts';
import type { Result } from './json.ts';
import type { BacktestAlert } from './run.ts';
import type { Label, Score } from './score.ts';
import { nameText } from './text.ts';

export interface BacktestPage extends Drawn {
  /** The name of the history. */
  name: string;
  curves: readonly Curve[];
  compared?: Result | undefined;
}

const DAY = 86_400;
/** Each day's chart is some 50 kB. */
const MAX_DAYS = 120;

/**
 * A backtest as one HTML file: the score, each status over the whole history, each day on which
 * something was, and a table of alerts.
 */
export function backtestPage({ name, curves, compared, ...drawn }: BacktestPage): Html {
  const { result, labels, changes } = drawn;
  const sections: Section[] = [
    { title: 'Summary', body: summary(result, labels) },
    {
      title: 'The whole history',
      lead: 'Counts of five minutes, as lowest and highest of each part of the range.',
      body: curves.map((curve) => chart(curve, drawn, result)),
    },
    ...daysSection(curves, drawn),
    ...changesSection(changes, result.from, result.to),
    { title: 'Alerts', body: [alertTable(result.alerts, result)] },
    ...(compared === undefined ? [] : [compareSection(result, compared)]),
  ];
  return page({
    title: `Backtest on ${name}`,
    lead: `What the rules would have fired from ${utcMinute(result.from)} to ${utcMinute(result.to)} UTC.`,
    sections,
    footer:
      'Made by tillwatch backtest. All times are UTC; an alert starts with the minute after which it first fired.',
  });
}

const ratio = (share: number | null): string => (share === null ? 'none' : formatShare(share));
const number = (value: number | null): string => (value === null ? '–' : formatCount(value));
const minutes = (value: number | null): string => (value === null ? '–' : `${formatCount(value)} min`);

function summary(result: Result, labels: readonly Label[] | undefined): Html[] {
  const { scored, alerts, leftOut } = result;
  const perDay = alerts.length / ((result.to - result.from) / DAY);
  const list: Fact[] = [
    { label: 'alerts', value: formatCount(alerts.length), note: `${formatCount(perDay)} a day in ${lengthOf(result)}` },
    ...(scored === undefined ? [] : scoreFacts(scored.score)),
  ];
  return [
    facts(list),
    ...(scored === undefined ? [] : [scoreTable(scored.score, scored.bySignal)]),
    ...(scored === undefined ? [] : [labelTable('Missed incidents', scored.missed, 'None was missed.')]),
    ...(scored === undefined ? [] : [alertTable(scored.falseAlarms, result, 'False alarms', 'There was none.')]),
    ...(scored === undefined || scored.unjudged.length === 0
      ? []
      : [alertTable(scored.unjudged, result, 'Not judged: no label is about their signal')]),
    ...(labels === undefined ? [paragraph('Without labelled incidents (--labels) there is no score.')] : []),
    ...(leftOut.length === 0
      ? []
      : [
          paragraph(
            `Left out, for the history does not have what they read: ${leftOut.map((one) => one.alertname).join(', ')}.`,
          ),
        ]),
  ];
}

const scoreFacts = (score: Score): Fact[] => [
  {
    label: 'incidents detected',
    value: `${score.detected} of ${score.incidents}`,
    tone: score.detected === score.incidents ? 'good' : 'bad',
  },
  {
    label: 'false alarms',
    value: String(score.falseAlarms),
    note: `${formatCount(score.falseAlarmsPerDay)} a day`,
    tone: score.falseAlarms === 0 ? 'good' : 'bad',
  },
  {
    label: 'F1',
    value: score.f1 === null ? 'none' : score.f1.toFixed(3),
    note: `precision ${ratio(score.precision)}, recall ${ratio(score.recall)}`,
  },
  {
    label: 'median delay',
    value: minutes(score.delayMinutes.median),
    note: `95 of 100 within ${minutes(score.delayMinutes.p95)}`,
  },
];

function scoreTable(all: Score, bySignal: Record<string, Score>): Html {
  const names = ['incidents', 'detected', 'false', 'precision', 'recall', 'F1', 'median delay', 'p95'];
  return table({
    caption: 'Score by signal',
    columns: [{ title: 'signal' }, ...names.map((title) => ({ title, number: true }))],
    rows: [['all', all] as const, ...Object.entries(bySignal)].map(([signal, score]) => [
      signal,
      score.incidents,
      score.detected,
      score.falseAlarms,
      ratio(score.precision),
      ratio(score.recall),
      score.f1 === null ? 'none' : score.f1.toFixed(3),
      minutes(score.delayMinutes.median),
      minutes(score.delayMinutes.p95),
    ]),
  });
}

const labelTable = (caption: string, labels: readonly Label[], empty: string): Html =>
  table({
    caption,
    empty,
    columns: [{ title: 'start' }, { title: 'length' }, { title: 'signal' }, { title: 'note' }],
    rows: labels.map(({ start, end, signals, note }) => [
      utcMinute(start),
      lengthOf({ from: start, to: end }),
      signals.join(', '),
      note,
    ]),
  });

const ALERT_COLUMNS: Column[] = [
  { title: 'start' },
  { title: 'end' },
  { title: 'length', number: true },
  { title: 'alert' },
  { title: 'observed', number: true },
  { title: 'expected', number: true },
  { title: 'score', number: true },
  { title: 'in' },
];

function alertTable(alerts: readonly BacktestAlert[], result: Result, caption?: string, empty = 'No alert.'): Html {
  return table({
    ...(caption !== undefined && { caption }),
    empty,
    columns: ALERT_COLUMNS,
    rows: alerts.map((alert): Cell[] => [
      utcMinute(alert.startsAt),
      alert.endsAt === null ? badge('still firing', 'bad') : utcMinute(alert.endsAt).slice(11),
      lengthOf({ from: alert.startsAt, to: alert.endsAt ?? result.to }),
      nameText(alert, result),
      number(alert.observed),
      number(alert.expected),
      number(alert.score),
      alert.window ?? '',
    ]),
  });
}

/** A day for each status on which it had an alert or an incident. */
function daysSection(curves: readonly Curve[], drawn: Drawn): Section[] {
  const { result, labels } = drawn;
  const days: { day: number; curve: Curve }[] = [];
  for (let day = Math.floor(result.from / DAY) * DAY; day < result.to; day += DAY) {
    const range = { from: day, to: day + DAY };
    for (const curve of curves) if (spansOf(curve, result, labels, range).length > 0) days.push({ day, curve });
  }
  if (days.length === 0) return [];
  const left = days.length - MAX_DAYS;
  const body = days
    .slice(0, MAX_DAYS)
    .map(({ day, curve }) =>
      chart(curve, drawn, { from: Math.max(day, result.from), to: Math.min(day + DAY, result.to) }),
    );
  return [
    {
      title: 'Day by day',
      lead: 'Each status on the days on which it had an alert or an incident.',
      body:
        left > 0 ? [...body, paragraph(`${left} more such days are not drawn; the alerts of all are below.`)] : body,
    },
  ];
}

function compareSection(here: Result, there: Result): Section {
  const rows = compareAlerts(here.alerts, there.alerts).flatMap((pair) => {
    const alert = pair.here ?? pair.there;
    const difference = describeDifference(pair);
    if (alert === undefined || difference === undefined) return [];
    return [[utcMinute(alert.startsAt), nameText(alert, pair.here === undefined ? there : here), difference]];
  });
  return {
    title: 'The other rules',
    lead: `What they would have done differently: ${formatCount(there.alerts.length)} alerts instead of ${formatCount(here.alerts.length)}.`,
    body: [
      ...(there.scored === undefined ? [] : [facts(scoreFacts(there.scored.score))]),
      table({ columns: [{ title: 'start' }, { title: 'alert' }, { title: 'difference' }], rows, empty: 'Nothing.' }),
    ],
  };
}
