import { h } from './dom.ts';
import type { Band, Labels, Recommendation, Trend } from './wire.ts';

/** `1,234`, `12.3`, `0.05`; `–` where there is nothing. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value > 0 && value < 0.005) return '< 0.01';
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `12.3 %` of a share in [0, 1]. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = share * 100;
  const digits = value === 0 || value >= 99.95 ? 0 : value >= 1 ? 1 : 2;
  return `${value.toFixed(digits)} %`;
}

/** `+4.2`, `−1.0`: with a true minus, so that signs line up. */
export const signed = (value: number): string => {
  const text = Math.abs(value).toFixed(1);
  return text === '0.0' ? text : `${value < 0 ? '−' : '+'}${text}`;
};

/**
 * The distance from expected, as people say it: `4.0× normal`, `62 % below normal`, `18 % above
 * normal`; nothing where it is near.
 */
export function magnitude(observed: number, expected: number): string {
  if (!(expected > 0) || !Number.isFinite(observed)) return '';
  const ratio = observed / expected;
  if (ratio >= 1.5) return `${ratio.toFixed(ratio < 10 ? 1 : 0)}× normal`;
  const off = Math.round(100 * Math.abs(ratio - 1));
  return off < 1 ? '' : `${off} % ${ratio < 1 ? 'below' : 'above'} normal`;
}

/** `40 s`, `12 min`, `2 h 05 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 24) return rest === 0 ? `${hours} h` : `${hours} h ${String(rest).padStart(2, '0')} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const ZONE = 'tillwatch-zone';
/** The reader's choice, kept in this browser. */
export const readsUtc = (): boolean => localStorage.getItem(ZONE) === 'UTC';
export const readIn = (zone: 'UTC' | 'local'): void => localStorage.setItem(ZONE, zone);

const local = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat('en-GB', { ...options, ...(readsUtc() && { timeZone: 'UTC' }) });
const CLOCK = local({ hour: '2-digit', minute: '2-digit' });
const CLOCK_SECONDS = local({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = local({ day: 'numeric', month: 'short' });

export const clock = (time: number): string => CLOCK.format(time);
export const day = (time: number): string => DAY.format(time);
const WEEKDAY = local({ weekday: 'short', day: 'numeric', month: 'short' });
export const dayText = (time: number): string => WEEKDAY.format(time);

/** Midnight before a time, by the reader's clock; milliseconds since the epoch. */
export function startOfDay(time: number): number {
  const at = new Date(time);
  return readsUtc() ? at.setUTCHours(0, 0, 0, 0) : at.setHours(0, 0, 0, 0);
}
export const inUtc = (time: number): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** In the zone of the reader's choice, UTC on hover; the day where it is not today's. */
export function when(iso: string, options: { seconds?: boolean } = {}): HTMLTimeElement {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return h('time', {}, '–');
  const today = DAY.format(time) === DAY.format(Date.now());
  const text = (options.seconds ? CLOCK_SECONDS : CLOCK).format(time);
  return h('time', { datetime: iso, title: inUtc(time) }, today ? text : `${DAY.format(time)}, ${text}`);
}

/** The age of something, which `tick` moves on. */
export const ageOf = (iso: string): HTMLElement =>
  h('span', { class: 'age', 'data-since': iso }, duration((Date.now() - Date.parse(iso)) / 1000));

/** `UTC−3`, or `UTC`. */
export function zone(): string {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  const rest = size % 60 === 0 ? '' : `:${String(size % 60).padStart(2, '0')}`;
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${rest}`;
}

/** `backend reversed`. */
export const words = (status: string): string => status.replaceAll('_', ' ');
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `acquirer acme, channel web`; names what has no label too. */
export function labelText(labels: Labels): string {
  const named = Object.entries(labels).map(([name, value]) => `${name} ${value}`);
  return named.length === 0 ? 'all transactions' : named.join(', ');
}

/** `normal 26.1, up to 44.9`; of sales it is the least that counts. */
export function normalText(status: string, { expected, lower, upper }: Band): string {
  if (expected === undefined) return 'normal not known';
  const limit = status === 'approved' ? lower && `at least ${count(lower)}` : upper && `up to ${count(upper)}`;
  return [`normal ${count(expected)}`, limit].filter(Boolean).join(', ');
}

export const RECOMMENDED: Record<Recommendation, string> = {
  ok: 'OK',
  watch: 'Watch',
  alert: 'Alert',
  unknown: 'Unknown',
};

export const ARROWS: Record<Trend, string> = {
  'falling a lot': '↓',
  falling: '↘',
  stable: '→',
  rising: '↗',
  'rising a lot': '↑',
};
