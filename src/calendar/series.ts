import { DIMENSIONS, METRIC } from '../domain/names.ts';
import type { Labels } from '../domain/series-text.ts';
import type { Now, Running } from './calendar.ts';
import type { SpecialDay } from './entries.ts';

/** Every label that a sample may have. */
export const SAMPLE_LABELS: readonly string[] = ['kind', 'name', 'like', 'ago', 'level', ...DIMENSIONS, 'source'];

export interface CalendarSample {
  metric: string;
  labels: Labels;
  value: number;
}

/** The names of all samples that a history may have of its calendar and of marks. */
export const CALENDAR_METRICS: readonly string[] = [METRIC.utcOffset, METRIC.calendar, METRIC.mark];

/** The samples of the calendar and of marks at a minute since the epoch. */
export type CalendarAt = (minute: number) => readonly CalendarSample[];

/** A day or weekday that this one is like. */
export const likeOf = ({ like, likeDate }: SpecialDay): string | undefined =>
  likeDate === undefined ? like : new Date(likeDate * 86_400_000).toISOString().slice(0, 10);

function volumeOf({ likeDate, factor }: SpecialDay, timesUsual: number | undefined): number | undefined {
  if (likeDate === undefined) return factor;
  return timesUsual === undefined ? undefined : timesUsual * (factor ?? 1);
}

const sliceOf = ({ name, slice }: Running): Labels =>
  slice === undefined ? { name, level: 'total' } : { name, level: slice.label, [slice.label]: slice.value };

/**
 * The calendar's state as the series that the rules read (prometheus/rules/calendar.rules.yml).
 * @param timesUsual the volume of the date that today is like, as times the usual one, where known
 */
export function samplesOf(
  { utcOffsetSeconds, day, planned, campaigns, unlike, otherKind, clockChange }: Now,
  timesUsual?: number,
): CalendarSample[] {
  const says = (kind: string, labels: Labels, value = 1): CalendarSample => ({
    metric: METRIC.calendar,
    labels: { kind, ...labels },
    value,
  });
  const samples: CalendarSample[] = [{ metric: METRIC.utcOffset, labels: {}, value: utcOffsetSeconds }];
  if (day !== undefined) {
    const { kind, name } = day;
    const [like, factor] = [likeOf(day), volumeOf(day, timesUsual)];
    samples.push(says(kind, { name, ...(like !== undefined && { like }) }));
    samples.push(factor === undefined ? says('volume_unsure', { name }) : says('volume_factor', { name }, factor));
  }
  for (const one of planned) samples.push(says('planned', sliceOf(one)));
  for (const one of campaigns) samples.push(says('campaign', sliceOf(one)));
  for (const { daysAgo, name } of unlike) samples.push(says('unlike', { name, ago: `${daysAgo}d` }));
  for (const { daysAgo, name } of otherKind) samples.push(says('other_kind', { name, ago: `${daysAgo}d` }));
  if (clockChange !== undefined) samples.push(says('clock_change', { name: 'daylight saving' }, clockChange));
  return samples;
}
