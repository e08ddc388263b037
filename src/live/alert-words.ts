import type { Alert } from './wire.ts';

/** An alert's description, by what people ask. Empty where the rule does not say it. */
export interface Told {
  /** True once a planned window has begun: the alert ends by it, and not because all is normal. */
  planned: boolean;
  /** When the counts became normal again, as ISO 8601, while the alert is held for a while. */
  recovering: string;
  /** When the counts left normal, as ISO 8601: before the alert, which waits for evidence. */
  since: string;
  /** `2 minutes`: the time in which was observed what the card says. */
  window: string;
  costs: string;
  carriedBy: string;
  /** All that has no place of its own. */
  rest: string;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The last time, seen from `now`, at which a clock in UTC showed this. */
function lastTimeAt(clock: string, now: number): string {
  const today = Date.parse(`${new Date(now).toISOString().slice(0, 10)}T${clock}:00Z`);
  return new Date(today <= now ? today : today - 86_400_000).toISOString();
}

/** `23:16 UTC, 29 Nov` as ISO 8601: of this year, or the last one where that is to come. */
function timeOf(text: string, now: number): string {
  const [, clock, date] = /^(\d\d:\d\d) UTC, (\d+ \w+)/.exec(text) ?? [];
  const inYear = (year: number) => Date.parse(`${date} ${year} ${clock} UTC`);
  const year = new Date(now).getUTCFullYear();
  const time = inYear(year) <= now ? inYear(year) : inYear(year - 1);
  return Number.isNaN(time) ? '' : new Date(time).toISOString();
}

/**
 * Takes apart the description that the shipped rules write, line by line. The text of a rule that
 * says it otherwise stays whole.
 */
export function toldBy({ annotations }: Pick<Alert, 'annotations'>): Told {
  const { description = '', observed, expected } = annotations;
  const [, planned, clock = '', text = ''] =
    /^(A planned window has begun: nothing is judged\. )?(?:Recovering since (\d\d:\d\d)(?: UTC)?\. )?(.*)$/s.exec(
      description.trim(),
    ) ?? [];
  const lines = text.split('\n').map((line) => line.trim());
  const [measured = ''] = lines;
  const since = lines.find((line) => /^Since \d\d:\d\d/.test(line));
  const carried = lines.find((line) => line.startsWith('Carried by '));
  const numbers = [observed, expected].every((value) => Number.isFinite(Number.parseFloat(value ?? '')));
  const measures = numbers && /\bexpected\b/.test(measured);
  const placed = [since, carried, measures ? measured : undefined];
  return {
    planned: planned !== undefined,
    recovering: clock === '' ? '' : lastTimeAt(clock, Date.now()),
    window: /\bin the last (\d+ \w+)/.exec(measured)?.[1] ?? '',
    since: timeOf(since?.replace('Since ', '') ?? '', Date.now()),
    costs: capital(since?.replace(/^(?:.*, for \d+ min|[^;]*);?\s*/, '') ?? ''),
    carriedBy: carried?.replace(/^Carried by /, '') ?? '',
    rest: lines.filter((line) => !placed.includes(line)).join(' '),
  };
}

/** When what an alert tells began, as far as it says so: the message counts from then. */
export const beganAt = (alert: Alert): string => toldBy(alert).since || (alert.activeAt ?? '');
