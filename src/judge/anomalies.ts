import { z } from 'zod';
import { addressOf, extraLabels } from '../domain/labels.ts';
import { JUDGED_STATUSES, RECORDED, STATUSES, type Status, TUNABLE, type Window } from '../domain/names.ts';
import type { Alert, Prometheus, Sample } from '../prometheus/client.ts';
import { messageOf } from '../runtime/log.ts';
import { RECOMMENDATIONS, type Recommendation } from './recommendation.ts';
import { SPREAD } from './unreported.ts';

const FIELDS = {
  [RECORDED.observed]: 'observed',
  [RECORDED.reported]: 'observed',
  [RECORDED.expected]: 'expected',
  [RECORDED.lower]: 'lower',
  [RECORDED.upper]: 'upper',
  [RECORDED.score]: 'score',
} as const;
export type Field = (typeof FIELDS)[keyof typeof FIELDS];
/** Selects the series of a band, each of which `fieldOf` names. */
export const ANY_FIELD = `__name__=~"${Object.keys(FIELDS).join('|')}"`;
export const fieldOf = (labels: Record<string, string>): Field => FIELDS[labels.__name__ as keyof typeof FIELDS];

const TRENDS = { '-2': 'falling a lot', '-1': 'falling', '0': 'stable', '1': 'rising', '2': 'rising a lot' } as const;

export const band = z.object(
  Object.fromEntries(Object.values(FIELDS).map((field) => [field, z.number().optional()])) as Record<
    Field,
    z.ZodOptional<z.ZodNumber>
  >,
);
export const anomaly = z
  .object({
    status: z.enum(STATUSES),
    labels: z.record(z.string(), z.string()),
    lastMinute: band,
    lastMinutes: band.meta({ description: 'The last five minutes' }),
    lastHour: band,
    trend: z.enum(Object.values(TRENDS)).optional(),
    recommendation: z.enum(RECOMMENDATIONS),
    reason: z.string().meta({ description: 'Why, as a sentence' }),
    firing: z.array(z.string()).meta({ description: 'Alerts that fire for it' }),
  })
  .meta({ id: 'Anomaly' });
export type Anomaly = z.output<typeof anomaly>;

export const definitions = z
  .object({ trend: z.string(), score: z.string() })
  .meta({ id: 'Definitions', description: 'What trend and score mean, with the numbers that the rules use' });
export type Definitions = z.output<typeof definitions>;

const SPAN: Partial<Record<Window, 'lastMinute' | 'lastMinutes' | 'lastHour'>> = {
  '1m': 'lastMinute',
  '5m': 'lastMinutes',
  '1h': 'lastHour',
};

/** An alert that fires, a minute beyond the side of its band that the rules judge, or neither. */
function verdict({ status, firing, lastMinute }: Anomaly): Recommendation {
  const { observed, expected, upper, lower } = lastMinute;
  const limit = status === 'approved' ? lower : upper;
  if (firing.length > 0) return 'alert';
  if (observed === undefined || expected === undefined || limit === undefined) return 'unknown';
  return (status === 'approved' ? observed < limit : observed > limit) ? 'watch' : 'ok';
}

const round = (n: number): string => (n < 10 ? n.toFixed(1).replace('.0', '') : n.toFixed(0));
const HAS_BAND: readonly Status[] = ['approved', ...JUDGED_STATUSES];

function sentence({ status, firing, lastMinute: { observed, expected, upper, lower } }: Anomaly): string {
  if (observed === undefined) return 'no count of the last minute is known';
  const count = `${round(observed)} ${status} in the last minute`;
  const limit = status === 'approved' ? lower : upper;
  const side = status === 'approved' ? 'at least' : 'up to';
  const isKnown = expected !== undefined && limit !== undefined;
  const normal = isKnown ? `${round(expected)} would be normal, ${side} ${round(limit)}` : undefined;
  const without = HAS_BAND.includes(status) ? 'what is normal is not known yet' : 'no band is kept for this status';
  const alerts = firing.length === 0 ? [] : [`${firing.join(' and ')} ${firing.length > 1 ? 'are' : 'is'} firing`];
  return [count, normal ?? without, ...alerts].join('; ');
}

function blank(labels: Record<string, string>): Anomaly {
  const status = labels.status as Status;
  const spans = { lastMinute: {}, lastMinutes: {}, lastHour: {} };
  return { status, labels: extraLabels(labels), ...spans, firing: [], recommendation: 'unknown', reason: '' };
}

/**
 * Leaves out the last minute where the rules say that all feeds are silent: its zeros are no counts.
 * Their alert goes on for a while after the first report.
 */
function withoutSilence(bands: Sample[], alerts: readonly Alert[]): Sample[] {
  const isSilent = alerts.some(({ labels }) => labels.feed === 'all');
  const minute = bands.filter(({ labels }) => labels.window === '1m' && fieldOf(labels) === 'observed');
  if (!isSilent || minute.some(({ value }) => value > 0)) return bands;
  return bands.map((band) => (band.labels.window === '1m' ? { ...band, value: Number.NaN } : band));
}

/** @param isNow false where the bands are not of the last minutes: what they say is left out */
function anomaliesOf(bands: Sample[], isNow: boolean, trends: Sample[], firing: Alert[]): Anomaly[] {
  const found = new Map<string, Anomaly>();
  for (const { labels, value } of bands) {
    const entry = found.get(addressOf(labels)) ?? blank(labels);
    const span = SPAN[labels.window as Window];
    if (isNow && span !== undefined && Number.isFinite(value)) entry[span][fieldOf(labels)] = value;
    found.set(addressOf(labels), entry);
  }
  for (const { labels, value } of trends) {
    const entry = found.get(addressOf(labels));
    const trend = TRENDS[String(value) as keyof typeof TRENDS];
    if (entry !== undefined && trend !== undefined) entry.trend = trend;
  }
  for (const { labels } of firing) found.get(addressOf(labels))?.firing.push(labels.alertname ?? '');
  for (const entry of found.values()) {
    entry.recommendation = verdict(entry);
    entry.reason = sentence(entry);
  }
  const order = (a: Anomaly) => STATUSES.indexOf(a.status);
  return [...found.values()].sort((a, b) => order(a) - order(b));
}

function definitionsOf(samples: Sample[]): Definitions {
  const value = (name: string) => samples.find(({ labels }) => labels.__name__ === name)?.value;
  const [step, leap] = [value(TUNABLE.trendStep), value(TUNABLE.trendLeap)];
  const steps =
    step === undefined || leap === undefined ? '' : `: beyond ${step} it rises or falls, beyond ${leap} a lot`;
  return {
    trend: `the mean of the last 5 minutes against that of the 15 before them, in standard deviations${steps}`,
    score: 'how many standard deviations the count is above (below, if negative) what is normal at this time of day',
  };
}

/**
 * The query for the age of the last minute that was recorded, in seconds. Prometheus answers with
 * what is up to five minutes old: after a restart that is what was before it.
 */
export const AGE = `time() - max(timestamp(${RECORDED.observed}{window="1m"}))`;
/** The rules record once a minute, in some engines a minute late, and may miss one. */
const OLDEST_S = 180;

const SCALARS = [RECORDED.trend, RECORDED.learning, TUNABLE.trendStep, TUNABLE.trendLeap];

export interface Recorded {
  anomalies: Anomaly[];
  definitions: Definitions;
  /** There are less than three days of history. */
  learning: boolean;
  /** Firing and pending. */
  alerts: Alert[];
  /** The reason why it is not known which alerts fire. */
  unlisted?: string;
  /** The age of the last minute that was recorded, in seconds. */
  age: number;
}

/** Each status against its normal, as the rules have recorded it. @throws PrometheusError */
export async function readAnomalies(prometheus: Prometheus): Promise<Recorded> {
  const [bands, spread, [age], others, listed] = await Promise.all([
    prometheus.instant(`{${ANY_FIELD}, window=~"1m|5m|1h"}`),
    prometheus.instant(SPREAD('')),
    prometheus.instant(AGE),
    prometheus.instant(`{__name__=~"${SCALARS.join('|')}"}`),
    prometheus.alerts().catch((error: unknown) => messageOf(error)),
  ]);
  const alerts = typeof listed === 'string' ? [] : listed;
  const named = (name: string) => others.filter(({ labels }) => labels.__name__ === name);
  const firing = alerts.filter(({ state, labels }) => state === 'firing' && labels.status !== undefined);
  const seconds = age?.value ?? Number.POSITIVE_INFINITY;
  for (const { labels, value } of spread) bands.push({ labels: { ...labels, window: '1m' }, value });
  return {
    anomalies: anomaliesOf(withoutSilence(bands, alerts), seconds <= OLDEST_S, named(RECORDED.trend), firing),
    definitions: definitionsOf(others),
    learning: named(RECORDED.learning).some(({ value }) => value === 1),
    alerts,
    ...(typeof listed === 'string' && { unlisted: listed }),
    age: seconds,
  };
}
