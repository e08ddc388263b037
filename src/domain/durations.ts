const UNIT: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** Seconds of a Prometheus duration such as `1h30m`; NaN if it is none. */
export function durationSeconds(text: string): number {
  if (!/^(\d+(ms|[smhdwy]))+$/.test(text)) return text === '0' ? 0 : Number.NaN;
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT[unit ?? ''] ?? Number.NaN), 0);
}

/** `5m`, `1m30s`: seconds as Prometheus writes them. */
export function durationText(seconds: number): string {
  if (seconds === 0) return '0s';
  const minutes = Math.floor(seconds / 60);
  const rest = seconds - 60 * minutes;
  if (minutes > 0 && minutes % 60 === 0 && rest === 0) return `${minutes / 60}h`;
  return `${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`;
}
