import { isoTime } from '../domain/times.ts';
import type { Compared, Plan } from '../tune/played.ts';

/** The times of a plan as answers say them. */
export const planTimes = ({ from, to, learnedFrom }: Plan) => ({
  from: isoTime(from),
  to: isoTime(to),
  learnedFrom: isoTime(learnedFrom),
});

/** What becomes of alerts, as answers say it. */
export const comparedAlerts = (alerts: readonly Compared[]) =>
  alerts.map(({ change, alert: { alertname, labels, severity, startsAt, endsAt, observed, expected } }) => ({
    change,
    alertname,
    labels,
    severity,
    startsAt: isoTime(startsAt),
    endsAt: endsAt === null ? null : isoTime(endsAt),
    observed,
    expected,
  }));
