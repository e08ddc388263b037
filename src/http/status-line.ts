import { type AlertPath, untoldBecause } from '../alerting/pipeline-health.ts';
import { capitalised } from '../domain/capitalised.ts';
import { duration } from '../domain/clock.ts';
import { JUDGED_STATUSES, TOTAL } from '../domain/names.ts';
import { isOwn } from '../domain/own-alerts.ts';
import type { Anomaly } from '../judge/anomalies.ts';
import type { Recommendation } from '../judge/recommendation.ts';
import type { Alert } from '../prometheus/client.ts';

export interface Verdict {
  recommendation: Recommendation;
  /** One sentence that a person understands. */
  reason: string;
  /** The reason why an alert may reach nobody. */
  untold?: string;
}

/** The facts that the status line is made from. */
export interface Known {
  path: AlertPath;
  anomalies: readonly Anomaly[];
  /** Firing and pending. */
  alerts: readonly Alert[];
  /** The reason why it is not known which alerts fire. */
  unlisted?: string;
  ready: boolean;
  learning: boolean;
  /** Milliseconds of history that the rules have seen, while they warm up. */
  history?: number;
  /**
   * The description of a planned window for all traffic, while one is on; nothing is judged
   * meanwhile.
   */
  planned?: string;
  /** True once any report was counted. */
  reported: boolean;
}

/** The rules know what is normal after this much history. */
const WARM_UP_MS = 2 * 3_600_000;
const SHOWN = 2;

const firstSentence = (text: string): string =>
  text
    .trim()
    .split(/(?<=[.;])\s|\n/)[0]
    ?.replace(/[.;]$/, '') ?? '';
const more = (n: number): string => (n > SHOWN ? `; and ${n - SHOWN} more` : '');

const hasSeverity = ({ labels }: Alert): boolean => labels.severity === 'critical' || labels.severity === 'warning';
const rank = ({ labels: { severity, level = TOTAL } }: Alert): string => `${severity} ${level === TOTAL ? 0 : 1}`;
/**
 * Alerts that call for somebody: firing, routed to people, and not an alert of others; critical
 * first, the total before its slices.
 */
export const calling = (alerts: readonly Alert[]): Alert[] =>
  alerts
    .filter((alert) => alert.state === 'firing' && hasSeverity(alert) && isOwn(alert))
    .sort((a, b) => rank(a).localeCompare(rank(b)));

function told({ labels, annotations }: Alert): string {
  const { summary = labels.alertname ?? 'an alert', description = '' } = annotations;
  return description === '' ? summary : `${summary}: ${firstSentence(description)}`;
}

function warmingUp({ reported, anomalies, history = 0 }: Known): string {
  // A counter of one's own is counted without a report.
  const counted = reported || anomalies.some(({ lastHour: { observed = 0 } }) => observed > 0);
  if (!counted) return 'No transactions have been counted yet';
  if (history >= WARM_UP_MS) return 'Learning what is normal: two hours are known, the first bands come within minutes';
  return `Learning what is normal: ${duration(Math.min(history, WARM_UP_MS))} of ${duration(WARM_UP_MS)} so far`;
}

/**
 * Is the last minute of the total held against its normal, in every status that pages when it
 * rises? Else nothing may be called normal. Sales are known a day later than the others.
 */
function isJudged(anomalies: readonly Anomaly[]): boolean {
  const total = anomalies.filter(({ labels }) => Object.keys(labels).length === 0);
  const unknown = total.filter(({ recommendation }) => recommendation === 'unknown');
  return (
    unknown.length < total.length && !unknown.some(({ status }) => JUDGED_STATUSES.some((judged) => judged === status))
  );
}

/** The gravest thing that the rules know of the counts, in words. */
function counted(known: Known): Verdict {
  const { anomalies, alerts, ready, learning } = known;
  const { prometheus } = known.path;
  if (!prometheus.ok && !prometheus.awaited)
    return { recommendation: 'unknown', reason: `What is normal is not known: ${prometheus.reason}. Counts are kept` };
  if (known.unlisted !== undefined)
    return { recommendation: 'unknown', reason: `Which alerts fire is not known: ${known.unlisted}` };
  const planned =
    known.planned === undefined ? undefined : `${capitalised(known.planned)}; nothing is judged meanwhile`;
  const firing = calling(alerts);
  if (firing.length > 0) {
    const said = firing.slice(0, SHOWN).map(told).join('; ');
    // Alerts on counts that a planned window cuts off say it themselves.
    const unsaid = planned !== undefined && !/planned window/i.test(said) ? `. ${planned}` : '';
    return { recommendation: 'alert', reason: capitalised(said) + more(firing.length) + unsaid };
  }
  if (planned !== undefined) return { recommendation: 'unknown', reason: planned };
  if (!prometheus.ok) return { recommendation: 'unknown', reason: `${prometheus.reason}` };
  if (!ready) return { recommendation: 'unknown', reason: warmingUp(known) };
  // Not slices: among many of them, one is out of its band in nearly every minute.
  const unusual = anomalies.filter(
    ({ recommendation, labels }) => recommendation === 'watch' && Object.keys(labels).length === 0,
  );
  if (unusual.length > 0) {
    const said = unusual
      .slice(0, SHOWN)
      .map(({ reason }) => reason)
      .join('; ');
    return { recommendation: 'watch', reason: `Unusual, but no alert yet: ${said}${more(unusual.length)}` };
  }
  if (!isJudged(anomalies))
    return {
      recommendation: 'unknown',
      reason: 'The last minute is not judged yet: its counts, or what is normal for them, are not recorded',
    };
  const still = learning ? '; there are less than three days of history, so this is still being learned' : '';
  return { recommendation: 'ok', reason: `Everything is as it normally is at this time${still}` };
}

/**
 * The gravest thing that is known of everything, in words. Where an alert may reach nobody, that
 * counts are normal is not enough to be OK.
 */
export function verdictOf(known: Known): Verdict {
  const verdict = counted(known);
  const untold = untoldBecause(known.path);
  if (untold === undefined || verdict.recommendation === 'unknown') return verdict;
  const { recommendation, reason } = verdict;
  return {
    recommendation: recommendation === 'ok' ? 'watch' : recommendation,
    reason: `${reason}. An alert may reach nobody: ${untold}`,
    untold,
  };
}
