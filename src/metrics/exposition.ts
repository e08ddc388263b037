import type { Registry } from 'prom-client';
import { METRIC, STATUSES } from '../domain/names.ts';
import { type Labels, labelsText } from '../domain/series-text.ts';
import type { Series, Totals } from '../ledger/ledger.ts';
import type { Format } from './format.ts';

const HELP = {
  [METRIC.transactions]: ['counter', 'Transactions by outcome.'],
  [METRIC.authCodes]: ['counter', 'Transactions by authorization response code.'],
  [METRIC.late]: ['counter', 'Transactions of reports older than the lateness window, not in transactions_total.'],
  [METRIC.lastMinute]: ['gauge', 'Transactions in the newest complete minute that was reported.'],
  tillwatch_ledger_info: ['gauge', 'Identity of the ledger, the same on all services that share it; always 1.'],
  tillwatch_settings_info: ['gauge', 'Settings that must be the same on all services that share the ledger; always 1.'],
  [METRIC.lastReport]: [
    'gauge',
    'When the newest report that was in time was counted, of all and of each source; 0 before the first.',
  ],
  [METRIC.reportDelay]: [
    'gauge',
    'How late the newest report of a source was, in seconds, where it was too late to be judged; else 0.',
  ],
  [METRIC.lastLateReport]: ['gauge', 'When the newest report of a source that was too late to be judged was counted.'],
  tillwatch_series: ['gauge', 'Series in the ledger.'],
} as const;

/** Tells whether a metric is asked for, by its name in the text format. */
export type Wanted = (name: string) => boolean;

/** A family of OpenMetrics has the name of its counter without this. */
export const familyOf = (counter: string): string => counter.replace(/_total$/, '');

type Sample = Pick<Series, 'labels' | 'value'>;

/** The ledger holds times in milliseconds. */
const TIMES: readonly string[] = [METRIC.lastReport, METRIC.lastLateReport];

function linesOf(name: string, samples: readonly Sample[]): string {
  const unit = TIMES.includes(name) ? 1000 : 1;
  let text = '';
  for (const { labels, value } of samples) text += `${name}${labels} ${value / unit}\n`;
  return text;
}

/** Each start stands right behind its counter: Prometheus looks for it no further. */
function linesWithStarts(name: string, series: readonly Series[]): string {
  const start = `${familyOf(name)}_created`;
  let text = '';
  for (const { labels, value, created } of series)
    text += `${name}${labels} ${value}\n${start}${labels} ${created / 1000}\n`;
  return text;
}

function header(name: keyof typeof HELP, { openMetrics }: Format): string {
  const [type, help] = HELP[name];
  const family = openMetrics && type === 'counter' ? familyOf(name) : name;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
}

/**
 * Series of the ledger. Only what changed since the last scrape is rendered: 100,000 at once would
 * hold up every report.
 */
function ofLedger(name: keyof typeof HELP, totals: Totals, format: Format): Buffer[] {
  const form = format.starts && HELP[name][0] === 'counter' ? 'withStarts' : 'plain';
  const render = form === 'plain' ? linesOf : linesWithStarts;
  const bodies = totals.chunks(name).map(({ series, rendered }) => {
    rendered[form] ??= Buffer.from(render(name, series));
    return rendered[form];
  });
  return [Buffer.from(header(name, format)), ...bodies];
}

const IN_LEDGER = [
  METRIC.transactions,
  METRIC.authCodes,
  METRIC.late,
  METRIC.lastReport,
  METRIC.reportDelay,
  METRIC.lastLateReport,
] as const;

/**
 * The transactions as the ledger has them, in parts.
 * @param settings those that services which share a ledger must have in common
 */
export function renderTotals(totals: Totals, settings: string, format: Format, wanted: Wanted): Buffer[] {
  const { ledger, lastMinute, size } = totals;
  const sample = (labels: Labels, value: number): Sample => ({ labels: labelsText(labels), value });
  const gauges: [keyof typeof HELP, Sample[]][] = [
    [METRIC.lastMinute, STATUSES.map((status) => sample({ status }, lastMinute[status] ?? 0))],
    ['tillwatch_ledger_info', [sample({ ledger }, 1)]],
    ['tillwatch_settings_info', [sample({ ledger, settings }, 1)]],
    ['tillwatch_series', [sample({}, size)]],
  ];
  const ofGauges = gauges
    .filter(([name]) => wanted(name))
    .map(([name, samples]) => header(name, format) + linesOf(name, samples));
  return [
    ...IN_LEDGER.filter(wanted).flatMap((name) => ofLedger(name, totals, format)),
    Buffer.from(ofGauges.join('')),
  ];
}

/**
 * One metric of a registry, from its text format. The registry's own OpenMetrics cannot be used: it
 * renames its counters for good.
 * @param start of its counters, in seconds since the epoch
 */
function toOpenMetrics(name: string, type: string, text: string, start: number | undefined): string {
  const family = type === 'counter' ? familyOf(name) : name;
  const [help = '', , ...samples] = text.split('\n');
  const withStart = (line: string) =>
    `${line}\n${family}_created${line.slice(name.length, line.lastIndexOf(' '))} ${start}`;
  const meta = [help.replace(name, family).replaceAll('"', '\\"'), `# TYPE ${family} ${type}`];
  return [...meta, ...(type === 'counter' && start !== undefined ? samples.map(withStart) : samples)].join('\n');
}

/** The metrics of a registry whose counters began with this process. */
export async function renderRegistry(registry: Registry, format: Format, wanted: Wanted): Promise<string> {
  const metrics = registry.getMetricsAsArray().filter(({ name }) => wanted(name));
  const texts = await Promise.all(metrics.map(({ name }) => registry.getSingleMetricAsString(name)));
  if (!format.openMetrics) return texts.length === 0 ? '' : `${texts.join('\n\n')}\n`;
  const start = format.starts ? performance.timeOrigin / 1000 : undefined;
  return metrics
    .map(({ name, type }, index) => `${toOpenMetrics(name, String(type), texts[index] ?? '', start)}\n`)
    .join('');
}
