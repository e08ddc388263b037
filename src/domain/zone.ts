/** A time zone. Minutes are since the epoch; local ones as if the zone were UTC. */
export interface Zone {
  name: string;
  /** Minutes that local time is ahead of UTC, at a minute. */
  offsetAt: (minute: number) => number;
  /**
   * @returns minutes since the epoch: the first of an hour that is there twice, and the one after
   *   an hour that is skipped
   */
  toUtc: (localMinute: number) => { minute: number; odd?: 'twice' | 'never' };
}

const DAY = 1440;
const OFFSET = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$/i;

/** Minutes of an offset such as `-03:00`, `+0530` or `UTC-3`; undefined for anything else. */
export function offsetMinutes(text: string): number | undefined {
  if (/^(?:z|utc|gmt)$/i.test(text)) return 0;
  const [, sign, hours, minutes = '0'] = OFFSET.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 14 || Number(minutes) > 59 || Number(minutes) % 15 > 0) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** A time zone by its IANA name or as an offset; undefined when there is no such zone. */
export function openZone(name: string): Zone | undefined {
  const fixed = offsetMinutes(name);
  if (fixed !== undefined) return { name, offsetAt: () => fixed, toUtc: (local) => ({ minute: local - fixed }) };
  let offsetAt: (minute: number) => number;
  try {
    offsetAt = offsetsOf(name);
  } catch {
    return undefined;
  }
  return { name, offsetAt, toUtc: (local) => toUtc(local, offsetAt) };
}

function toUtc(local: number, offsetAt: (minute: number) => number): ReturnType<Zone['toUtc']> {
  // A day before and a day after the zone has the offsets that may be meant.
  const [before, after] = [offsetAt(local - DAY), offsetAt(local + DAY)];
  if (before === after) return { minute: local - before };
  const fits = [before, after].filter((offset) => offsetAt(local - offset) === offset);
  if (fits.length === 1) return { minute: local - (fits[0] ?? 0) };
  return { minute: local - before, odd: fits.length === 0 ? 'never' : 'twice' };
}

/**
 * The zone's offset in minutes at a minute since the epoch, remembered by the quarter of an hour.
 */
function offsetsOf(name: string): (minute: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const known = new Map<number, number>();
  return (minute) => {
    const quarter = Math.floor(minute / 15);
    const before = known.get(quarter);
    if (before !== undefined) return before;
    const parts = format.formatToParts(quarter * 900_000);
    const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute')) / 60_000;
    known.set(quarter, local - quarter * 15);
    return local - quarter * 15;
  };
}
