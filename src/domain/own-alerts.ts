interface Named {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

const NAMES = /^(Transactions|AuthCode|Tillwatch|Watchdog)/;

/**
 * Whether an alert comes from Tillwatch's rules or from a copy of one, which say where it can be
 * silenced. A Prometheus that is shared has alerts of others as well.
 */
export const isOwn = ({ labels, annotations }: Named): boolean =>
  annotations.silence_url !== undefined || NAMES.test(labels.alertname ?? '');
