export const DENIED = { alertname: 'TransactionsDeniedAboveNormal', severity: 'critical', status: 'denied' };

export interface Told {
  labels?: Record<string, string>;
  startsAt?: string;
  endsAt?: string;
  fingerprint?: string;
}

/** A notification as Alertmanager sends it. */
export function notification({
  labels = DENIED,
  startsAt = '2026-03-02T10:20:37.250Z',
  endsAt,
  fingerprint = 'a1b2c3d4e5f60718',
}: Told) {
  const status = endsAt === undefined ? 'firing' : 'resolved';
  const alert = {
    status,
    labels: { service: 'payments', ...labels },
    annotations: { summary: `${labels.status ?? labels.alertname} above normal` },
    startsAt,
    endsAt: endsAt ?? '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example/graph',
    fingerprint,
  };
  const texts = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
  const head = { version: '4', groupKey: '{}:{}', status, receiver: 'journal', externalURL: 'http://am.example' };
  return { ...head, ...texts, alerts: [alert] };
}
