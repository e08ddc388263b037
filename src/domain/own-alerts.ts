interface Named {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

const NAMES = /^(Transactions|AuthCode|Tillwatch|Watchdog)/;

/**
 * True for an alert of Tillwatch's rules or of a copy of one. Both say where they can be silenced.
 * A shared Prometheus has alerts of others as well.
 */
export const isOwn = ({ labels, annotations }: Named): boolean =>
  annotations.silence_url !== undefined || NAMES.test(labels.alertname ?? '');
