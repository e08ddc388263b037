/**
 * Messages as Alertmanager hands them to templates: what templates must be able to render, from the
 * usual to the bare.
 */
export function sampleMessages(): Record<string, unknown> {
  const usual = alert('firing', { severity: 'critical', status: 'denied' }, ANNOTATIONS);
  const other = alert('firing', { severity: 'warning', status: 'denied', acquirer: 'A & B "Bank"' }, ANNOTATIONS);
  const ended = alert('resolved', { severity: 'critical', status: 'failed' }, ANNOTATIONS);
  const worse = alert('resolved', { severity: 'critical', status: 'failed', escalation: 'worse' }, ANNOTATIONS);
  const bare = alert('firing', {}, {});
  return {
    one: message('firing', [usual]),
    mixed: message('firing', [usual, other, ended, worse]),
    many: message('firing', [...Array(20).fill(other), ...Array(20).fill(ended)]),
    resolved: message('resolved', [ended]),
    bare: message('firing', [bare]),
  };
}

const ANNOTATIONS = {
  summary: 'Denied transactions above normal',
  description: `54 denied in the last 5 minutes, 6.1 times normal: 8.8 expected at this time and traffic, 16 is the limit.
Since 12:30 UTC, 21 Nov, for 34 min; 14 in the worst minute, 310 beyond normal so far; up to 9 approvals a minute are lost.
Carried by acquirer Foo (84 %), code 51 insufficient funds (76 %)`,
  observed: '54',
  expected: '8.8',
  upper: '15.8',
  todo: 'Was something released? Roll it back first.',
  silence_url: 'http://localhost:8080/',
  runbook_url: 'https://example.com/runbook#denied',
  dashboard_url: 'http://localhost:3000/d/tillwatch?from=1&to=2',
};

function alert(status: string, labels: Record<string, string>, annotations: Record<string, string>) {
  return {
    status,
    labels: { alertname: 'TransactionsDeniedAboveNormal', service: 'payments', ...labels },
    annotations,
    startsAt: '2026-11-21T12:31:15Z',
    endsAt: status === 'resolved' ? '2026-11-21T13:05:15Z' : '0001-01-01T00:00:00Z',
    generatorURL: 'http://localhost:9090/graph?g0.expr=up',
    fingerprint: 'c4ca4238a0b92382',
  };
}

function message(status: string, alerts: ReturnType<typeof alert>[]) {
  const grouped = { alertname: 'TransactionsDeniedAboveNormal', service: 'payments' };
  return {
    receiver: 'sample',
    status,
    alerts,
    groupLabels: grouped,
    commonLabels: alerts.length === 1 ? alerts[0]?.labels : grouped,
    commonAnnotations: alerts[0]?.annotations,
    externalURL: 'http://localhost:9093',
  };
}
