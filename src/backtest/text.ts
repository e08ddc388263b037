import { plural } from '../domain/plural.ts';
import { utcMinute } from '../domain/times.ts';
import { compareAlerts, describeDifference } from './compare.ts';
import type { Result } from './json.ts';
import type { Backtest, BacktestAlert } from './run.ts';
import type { Label, Score, Scored } from './score.ts';

const number = (value: number | null): string =>
  value === null ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 1000 ? 1 : 0 });

/** `35 min`, `3 h 05 min`, `2 d 4 h`. */
export function lengthText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/**
 * The text of a backtest: one line for each alert, the summary, then score and comparison where
 * asked for.
 */
export function backtestText(result: Result, compared?: Result): string {
  const sections = [
    alertTable(result),
    summary(result),
    ...(result.scored === undefined ? [] : [scoreText(result, result.scored)]),
    ...(compared === undefined ? [] : [compareText(result, compared)]),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function alertTable(result: Backtest): string[] {
  if (result.alerts.length === 0) return ['no alerts'];
  const rows = result.alerts.map((alert) => [
    utcMinute(alert.startsAt),
    alert.endsAt === null ? 'still firing' : utcMinute(alert.endsAt),
    lengthText((alert.endsAt ?? result.to) - alert.startsAt),
    nameText(alert, result),
    number(alert.observed),
    number(alert.expected),
    number(alert.score),
    alert.window ?? '',
  ]);
  return table(
    [['start (UTC)', 'end', 'length', 'alert', 'observed', 'expected', 'score', 'in'], ...rows],
    [2, 4, 5, 6],
  );
}

/**
 * The alert's name and the labels that tell it from others of this name: not those that its rule
 * gives to all.
 */
export function nameText(alert: BacktestAlert, { rules }: Pick<Backtest, 'rules'>): string {
  const rule = rules.find((one) => one.alert === alert.alertname);
  const own = Object.entries(alert.labels).filter(([name, value]) => rule?.labels[name] !== value);
  return [alert.alertname, ...own.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** Sets columns side by side. Those in `right` hold numbers. */
function table(rows: string[][], right: number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** docs/detection.md, "Time". */
const LIVE_DELAY = '6 to 16 s after the report of the minute that is named';

function summary(result: Backtest): string[] {
  const days = (result.to - result.from) / 86_400;
  const perDay = result.alerts.length / days;
  const bySeverity = countBy(result.alerts.map(({ severity }) => severity || 'no severity'));
  return [
    `${plural(result.alerts.length, 'alert')}${bySeverity === '' ? '' : ` (${bySeverity})`} in ${number(days)} days, ` +
      `${number(perDay)} a day: ${utcMinute(result.from)} to ${utcMinute(result.to)}`,
    `each minute is judged as it ends; live, alerts come ${LIVE_DELAY}`,
    ...(result.leftOut.length === 0
      ? []
      : [
          `left out, for the history does not have what they read: ${result.leftOut.map((one) => one.alertname).join(', ')}`,
        ]),
  ];
}

function countBy(values: string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${count} ${value}`).join(', ');
}

function scoreText(result: Backtest, scored: Scored<BacktestAlert>): string[] {
  const rows = [
    ['', 'incidents', 'detected', 'false', 'a day', 'precision', 'recall', 'F1', 'delay', 'p95'],
    scoreRow('all', scored.score),
  ];
  for (const [signal, score] of Object.entries(scored.bySignal)) rows.push(scoreRow(signal, score));
  return [
    ...table(rows, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ...list('missed', scored.missed.map(labelText)),
    ...list(
      'false alarms',
      scored.falseAlarms.map((alert) => alertText(alert, result)),
    ),
    ...list(
      'not judged, for no label is about their signal',
      scored.unjudged.map((alert) => alertText(alert, result)),
    ),
  ];
}

const share = (value: number | null): string => (value === null ? '-' : value.toFixed(3));
const scoreRow = (name: string, score: Score): string[] => [
  name,
  String(score.incidents),
  String(score.detected),
  String(score.falseAlarms),
  score.falseAlarmsPerDay.toFixed(2),
  share(score.precision),
  share(score.recall),
  share(score.f1),
  score.delayMinutes.median === null ? '-' : `${number(score.delayMinutes.median)} min`,
  score.delayMinutes.p95 === null ? '-' : `${number(score.delayMinutes.p95)} min`,
];

const list = (title: string, lines: string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
const alertText = (alert: BacktestAlert, result: Backtest): string =>
  `${utcMinute(alert.startsAt)}  ${nameText(alert, result)}`;
const labelText = ({ start, end, signals, note }: Label): string =>
  `${utcMinute(start)} to ${utcMinute(end)}  ${signals.join('|')}${note === '' ? '' : `  (${note})`}`;

function compareText(here: Result, there: Result): string[] {
  const pairs = compareAlerts(here.alerts, there.alerts);
  const rows = pairs.flatMap((pair) => {
    const alert = pair.here ?? pair.there;
    const difference = describeDifference(pair);
    return alert === undefined || difference === undefined
      ? []
      : [[utcMinute(alert.startsAt), nameText(alert, pair.here === undefined ? there : here), difference]];
  });
  const same = pairs.length - rows.length;
  return [
    `compared with the other rules: ${plural(rows.length, 'difference')}, ${plural(same, 'alert')} the same to the minute`,
    ...table(rows, []).map((line) => `  ${line}`),
    ...(there.scored === undefined ? [] : ['', 'score of the other rules', ...scoreText(there, there.scored)]),
  ];
}
