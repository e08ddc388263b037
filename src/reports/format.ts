/**
 * The unit of a value: a number of transactions (or any other amount), or a share in [0, 1] that
 * is shown in per cent.
 */
export type Unit = 'count' | 'share';

/** `1,234`, `3.4`, `0.05`, `< 0.01`. */
export function formatCount(value: number): string {
  if (value > 0 && value < 0.005) return '< 0.01';
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `12.3 %`, `0.05 %`, of a share in [0, 1]. */
export function formatShare(share: number): string {
  const percent = share * 100;
  const digits = percent === 0 || percent >= 99.95 ? 0 : percent >= 1 ? 1 : percent >= 0.1 ? 2 : 3;
  return `${percent.toFixed(digits)} %`;
}

export const formatValue = (value: number, unit: Unit): string =>
  unit === 'share' ? formatShare(value) : formatCount(value);

/** Short enough for an axis: `1.2k`, `3M`, `5 %`. */
export function formatTick(value: number, unit: Unit): string {
  if (unit === 'share') return `${Number((value * 100).toPrecision(4))} %`;
  const [divisor, suffix] = value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : value >= 1e4 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / divisor).toPrecision(4))}${suffix}`;
}

/** `45 min`, `1 h`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 24) return rest === 0 ? `${hours} h` : `${hours} h ${String(rest).padStart(2, '0')} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
