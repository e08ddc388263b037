/**
 * The subject of an alert: denied, failed, reversed, volume, feed, processing, auth_code, or
 * whatever a rule's label `signal` says.
 */
export type AlertSignal = string;

const STATUS_SIGNAL: Record<string, AlertSignal> = {
  denied: 'denied',
  failed: 'failed',
  reversed: 'reversed',
  backend_reversed: 'reversed',
  refunded: 'refunded',
  approved: 'volume',
  processing: 'processing',
};

/** The subject by words in an alert's name, for alerts whose labels do not tell. */
const NAMED_SIGNALS: [RegExp, AlertSignal][] = [
  [/auth_?code/i, 'auth_code'],
  [/denied|denial|declin/i, 'denied'],
  [/fail/i, 'failed'],
  [/revers/i, 'reversed'],
  [/refund/i, 'refunded'],
  [/processing|stuck/i, 'processing'],
  [/report|feed|silen|missing|absent/i, 'feed'],
  [/volume|sales|approved|drop/i, 'volume'],
];

/** The subjects that the shipped alerts have. */
export const SIGNALS: readonly AlertSignal[] = [...new Set(NAMED_SIGNALS.map(([, signal]) => signal))];

/**
 * The subject of an alert by its label `signal`, else by its labels `auth_code` and `status`, else
 * by its name.
 */
export function signalOf(alertname: string, labels: Readonly<Record<string, string>>): AlertSignal {
  if (labels.signal !== undefined) return labels.signal;
  if (labels.auth_code !== undefined) return 'auth_code';
  const byStatus = STATUS_SIGNAL[labels.status ?? ''];
  return byStatus ?? NAMED_SIGNALS.find(([words]) => words.test(alertname))?.[1] ?? alertname;
}

/** A signal as a file of labels writes it, where `|` stands between several. */
export const signalInFile = (signal: AlertSignal): string => signal.replaceAll(/\W/g, '_');
