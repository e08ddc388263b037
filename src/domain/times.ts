import { offsetMinutes } from './zone.ts';

/** `2026-11-21 12:31:00.000+00`; databases and Go write ` UTC` behind it, or ` +0000 UTC`. */
const TIMESTAMP =
  /^(\d{4})([-/])(\d{2})\2(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(?: ?(Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|UTC|GMT)(?: UTC)?)?$/i;

/**
 * Milliseconds since the epoch of an ISO 8601 time or of one as databases write it, UTC unless it
 * says otherwise; NaN if it is no such time.
 */
export function parseTime(text: string): number {
  const match = TIMESTAMP.exec(text);
  if (match === null) return Number.NaN;
  const [, year, , month, day, hour, minute, second = '00', zone = 'Z'] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN;
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // Date rolls 30 February over into March, and takes the year 70 for 1970: only a date that stays
  // itself is one.
  const date = new Date(local);
  if (
    date.getUTCDate() !== Number(day) ||
    date.getUTCMonth() + 1 !== Number(month) ||
    date.getUTCFullYear() !== Number(year)
  )
    return Number.NaN;
  const offset = offsetMinutes(zone);
  return offset === undefined ? Number.NaN : local - offset * 60_000;
}

/**
 * Milliseconds since the epoch of an epoch number in seconds, milliseconds, microseconds or
 * nanoseconds, told apart by its size; NaN for one before March 1973, which is more likely
 * something else.
 */
export function parseEpoch(n: number): number {
  if (!(n >= 1e8 && n < 1e20)) return Number.NaN;
  const unit = [1e-3, 1, 1e3, 1e6].find((perMillisecond) => n / perMillisecond < 1e14) ?? 1e6;
  return Math.floor(n / unit);
}

/** `2026-11-28T12:31:00.000Z`. @param ms milliseconds since the epoch */
export const isoOfMs = (ms: number): string => new Date(ms).toISOString();

/** The same of seconds since the epoch. */
export const isoTime = (seconds: number): string => isoOfMs(seconds * 1000);

/** `2026-11-28T12:31:00Z`, of whole seconds since the epoch. */
export const isoSecond = (seconds: number): string => isoTime(seconds).replace('.000Z', 'Z');

/** `2026-11-28 12:31` in UTC. @param seconds since the epoch */
export const utcMinute = (seconds: number): string => isoTime(seconds).slice(0, 16).replace('T', ' ');
