/**
 * Labels that Prometheus and the rules put on a series; what remains are the extra labels that
 * reports carry.
 */
const OWN = [
  '__name__',
  'status',
  'window',
  'alertname',
  'alertstate',
  'severity',
  'service',
  'escalation',
  'direction',
  'figure',
  'by',
  'level',
  'auth_code',
];

type Labels = Readonly<Record<string, string>>;

/** The extra labels of a recorded series or an alert, in the order of their names. */
export function extraLabels(labels: Labels): Record<string, string> {
  const extra = Object.entries(labels).filter(([name]) => !OWN.includes(name));
  return Object.fromEntries(extra.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The status and the extra labels of a series, as a key. */
export const addressOf = (labels: Labels, status = labels.status): string =>
  JSON.stringify([status, extraLabels(labels)]);
