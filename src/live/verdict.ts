import { capitalised } from '../domain/capitalised.ts';
import { toldBy } from './alert-words.ts';
import { farOf } from './band-words.ts';
import { labelText, magnitude, words } from './format.ts';
import { firingAlerts, incidentName, isGone, type Model, nameOf, nothingCounted, sliceOf } from './model.ts';
import type { Alert, State } from './wire.ts';

export type Tone = 'ok' | 'watch' | 'alert' | 'learning' | 'gone' | 'empty' | 'connecting' | 'unknown';

export interface Verdict {
  tone: Tone;
  word: string;
  headline: string;
  detail: string;
  /** `4.0× normal`: how far, where an alert says it. */
  far?: string;
  since?: string;
}

/**
 * The distance of an alert's count from normal; nothing for alerts that are not about a count of
 * transactions.
 */
export function magnitudeOf({ labels, annotations }: Alert): string {
  if (labels.status === undefined && labels.auth_code === undefined) return '';
  return magnitude(Number.parseFloat(annotations.observed ?? ''), Number.parseFloat(annotations.expected ?? ''));
}

/** The numbers of an alert that is only held are those of the time before. */
export function isHeld(alert: Alert): boolean {
  const { recovering, planned } = toldBy(alert);
  return planned || recovering !== '';
}

/** Is it an alert on what is counted? Those about Tillwatch itself are judged in planned windows too. */
const isOnCounts = ({ labels }: Alert): boolean =>
  [labels.status, labels.auth_code, labels.feed].some((about) => about !== undefined);

/** An alert goes on for some minutes after the counts are normal again: that is worth knowing. */
function recovered(alert: Alert, { anomalies, path, planned: window }: State): string {
  const { status } = alert.labels;
  const { recovering, planned } = toldBy(alert);
  if (planned) return 'A planned window has begun: nothing is judged meanwhile, and the alert ends by itself.';
  if (window !== undefined && isOnCounts(alert))
    return 'A planned window is on: what is counted in it is not judged, nor is a silence.';
  if (recovering !== '') return 'Recovering: the counts are normal again, and the alert is held a while.';
  const same = anomalies.filter((anomaly) => anomaly.status === status && anomaly.lastMinute.expected !== undefined);
  const normal = same.every(({ lastMinute }) => farOf(same[0]?.status ?? 'denied', lastMinute) === undefined);
  return path.prometheus.ok && same.length > 0 && normal ? 'The last minute is back in its band.' : '';
}

const SHOWN = 3;
const listed = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join('; ')}; and ${names.length - SHOWN} more` : names.join('; ');

/** Is it the same alert, of a part of the transactions? */
export const isSliceOf = ({ labels }: Alert, { labels: all }: Alert): boolean =>
  labels.alertname === all.alertname &&
  labels.status === all.status &&
  Object.keys(sliceOf({ labels })).length > Object.keys(sliceOf({ labels: all })).length;

/** Slices that are told beside the total; what carries the excess stands on the card below. */
function ownAlerts(slices: readonly string[]): string {
  const text = `${listed(slices)} ${slices.length === 1 ? 'has an alert of its own' : 'have alerts of their own'}.`;
  return slices.length === 0 ? '' : capitalised(text);
}

function alerting(state: State): Verdict {
  const alerts = firingAlerts(state);
  const { reason } = state.verdict;
  const [first] = alerts;
  if (first === undefined) return { tone: 'alert', word: 'Alert', headline: 'An alert fires', detail: reason };
  const far = magnitudeOf(first);
  const slices = alerts.slice(1).filter((alert) => isSliceOf(alert, first));
  const where = ownAlerts(slices.map((alert) => labelText(sliceOf(alert))));
  const others = [
    ...new Set(
      alerts
        .slice(1)
        .filter((alert) => !slices.includes(alert) && !alerts.some((all) => isSliceOf(alert, all)))
        .map(nameOf),
    ),
  ];
  const more = others.length === 0 ? '' : `Also: ${listed(others)}.`;
  const untold = state.verdict.untold === undefined ? '' : `It may have reached nobody: ${state.verdict.untold}.`;
  return {
    tone: 'alert',
    word: 'Alert',
    headline: nameOf(first),
    // The card below says the rest.
    detail: [untold, recovered(first, state), where, more].filter(Boolean).join(' '),
    ...(far !== '' && !isHeld(first) && { far }),
    ...(first.activeAt !== undefined && { since: first.activeAt }),
  };
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Alerts that had not ended when Prometheus last said so: whether they still fire is not known. */
function lastOpen(incidents: Model['incidents'] = []): string {
  const names = [...new Set(incidents.filter(({ endsAt }) => endsAt === null).map(incidentName))];
  return names.length === 0 ? '' : ` Fired when it was last known: ${listed(names)}.`;
}

function gone({ path, baseline }: State, incidents: Model['incidents']): Verdict {
  return {
    tone: 'gone',
    word: 'Not watching',
    headline: path.prometheus.ok ? 'What is normal is not known' : 'Nothing is being judged',
    detail: `${sentence(path.prometheus.reason ?? baseline.reason ?? 'It has not evaluated the rules')} Counts are taken and kept all the same; alerts cannot fire until it is back.${lastOpen(incidents)}`,
    ...(path.prometheus.evaluatedAt !== undefined && { since: path.prometheus.evaluatedAt }),
  };
}

const EMPTY: Verdict = {
  tone: 'empty',
  word: 'No data',
  headline: 'No counts have arrived yet',
  detail: 'Post the first minute and it appears here by itself. Two hours of counts make the first baseline.',
};

function watching({ anomalies, verdict }: State): Verdict {
  const out = anomalies.filter(
    ({ recommendation, labels }) => recommendation === 'watch' && Object.keys(labels).length === 0,
  );
  if (out.length === 0)
    return {
      tone: 'watch',
      word: 'Watch',
      headline: 'Counts are normal, but an alert may reach nobody',
      detail: sentence(capitalised(verdict.untold ?? verdict.reason)),
    };
  const names = [...new Set(out.map(({ status }) => words(status)))].join(', ');
  const { observed, expected } = out[0]?.lastMinute ?? {};
  const far = magnitude(observed ?? Number.NaN, expected ?? Number.NaN);
  const headline = `${names}: out of the normal band`;
  return { tone: 'watch', word: 'Watch', headline, detail: sentence(verdict.reason), ...(far !== '' && { far }) };
}

/** The status line: the gravest thing first. */
export function describe({ state, reports, incidents, verdictSince }: Model): Verdict {
  if (state === undefined)
    return { tone: 'connecting', word: 'Connecting', headline: 'Asking Tillwatch for its state', detail: '' };
  const { verdict, baseline, path } = state;
  const since = verdictSince === undefined ? {} : { since: new Date(verdictSince).toISOString() };
  if (verdict.recommendation === 'alert') return alerting(state);
  if (isGone(state) || baseline.state === 'unavailable') return gone(state, incidents);
  if (state.planned !== undefined)
    return {
      tone: 'unknown',
      word: 'Planned',
      headline: 'Nothing is judged meanwhile',
      detail:
        'Counts are taken and kept; silent feeds, stuck processing and auth codes are not told either. Judging begins again five minutes after the end.',
    };
  if (baseline.state === 'warming-up' && nothingCounted(state) && reports?.length === 0) return EMPTY;
  if (path.prometheus.awaited)
    return { tone: 'unknown', word: 'Waiting', headline: 'Nothing is judged yet', detail: sentence(verdict.reason) };
  if (baseline.state === 'warming-up')
    return {
      tone: 'learning',
      word: 'Learning',
      headline: 'Counts arrive; what is normal is still being learned',
      detail: `${sentence(capitalised(verdict.reason.replace('Learning what is normal: ', '')))} Until then nothing is judged, except whether reports keep coming.`,
    };
  if (verdict.recommendation === 'watch') return { ...watching(state), ...since };
  if (verdict.recommendation === 'unknown')
    return { tone: 'unknown', word: 'Unknown', headline: 'No verdict', detail: verdict.reason, ...since };
  return { tone: 'ok', word: 'OK', headline: 'All normal', detail: sentence(verdict.reason), ...since };
}
