import type { Zone } from '../domain/zone.ts';
import { type Entries, type SpecialDay, type Stretches, WEEKDAYS, type Weekday } from './entries.ts';

/** A planned window or a campaign that is on. */
export interface Running extends Pick<Stretches, 'kind' | 'name' | 'slice'> {
  /** Minutes since the epoch. */
  end: number;
}

/** A planned window or a campaign, whenever it is. */
export interface Dated extends Running {
  /** Minutes since the epoch. */
  start: number;
}

/** A day before today, and its name or weekday. */
export interface DayBefore {
  daysAgo: number;
  name: string;
}

/** The state of the calendar at one minute. */
export interface Now {
  utcOffsetSeconds: number;
  day?: SpecialDay | undefined;
  planned: Running[];
  campaigns: Running[];
  /**
   * Days before, by how many days ago, whose volume says nothing of today's; and what they were.
   */
  unlike: DayBefore[];
  /** Days of the last week of another kind than today's, where there are enough of its own. */
  otherKind: DayBefore[];
  /** 1 while clocks go forward by an hour soon or just have, -1 back. */
  clockChange?: 1 | -1 | undefined;
}

export interface Calendar {
  zone: Zone;
  /** @param minute since the epoch */
  at: (minute: number) => Now;
  /**
   * Planned windows and campaigns that touch a stretch of minutes since the epoch, by their start.
   */
  between: (from: number, to: number) => Dated[];
}

const DAY = 1440;
const HOUR = 60;
/** Days that the rules compare volume with. */
const COMPARED_DAYS = [1, 2, 3, 4, 5, 6, 7, 14];
/**
 * The rules keep copies of what they will read at another hour once the clocks have changed: of the
 * two weeks before, and of the hours after in which "a day ago" is still before it.
 */
const COPIED_BEFORE = 15 * DAY;
const COPIED_AFTER = 5 * HOUR;
const LAST_WEEK = COMPARED_DAYS.slice(0, 7);
/** With fewer days than these that are like today, all seven are compared. */
const FEWEST_DAYS = 2;

const weekdayOf = (day: number): Weekday => WEEKDAYS[(((day + 4) % 7) + 7) % 7] ?? 'sunday';
const kindOf = (weekday: Weekday): string =>
  weekday === 'saturday' || weekday === 'sunday' ? weekday : 'a working day';

/** Makes the calendar that answers for each minute. */
export function openCalendar({ holidays, days, stretches }: Entries, zone: Zone): Calendar {
  const local = (minute: number) => minute + zone.offsetAt(minute);
  // Without a zone or an entry, nobody has said where the days begin.
  const hasKinds = zone.name !== 'UTC' || holidays.length + days.length + stretches.length > 0;

  const specialDay = remembered((day: number): SpecialDay | undefined => {
    const own = days.find((one) => one.days.between(day * DAY, day * DAY + DAY - 1).length > 0);
    if (own !== undefined) {
      const { name, like, likeDate, factor } = own;
      return { kind: 'day', name, like, likeDate, factor };
    }
    for (const { nameOn, like, factor } of holidays) {
      const name = nameOn(day);
      if (name !== undefined) return { kind: 'holiday', name, like, factor };
    }
    return undefined;
  });

  /** Stretches that touch a local day. */
  const onDay = remembered((day: number): Dated[] =>
    stretches.flatMap(({ starts, minutes, ...what }) =>
      starts.between(day * DAY - minutes, day * DAY + DAY - 1).map((start) => {
        const [from, end] = [zone.toUtc(start).minute, zone.toUtc(start + minutes).minute];
        return { ...what, start: from, end };
      }),
    ),
  );

  /** The name of a day that was no ordinary one. */
  const specialName = (day: number): string | undefined =>
    specialDay(day)?.name ??
    onDay(day).find(({ kind, start, end }) => kind === 'campaign' && end - start >= DAY / 2)?.name;

  const nameOf = (day: number): string => specialName(day) ?? weekdayOf(day);

  const unlikeOn = remembered((day: number): DayBefore[] => {
    const like = specialDay(day)?.like;
    const isOrdinary = (before: number) => specialName(before) === undefined;
    const isLike = (before: number) => isOrdinary(before) && (like === undefined || weekdayOf(before) === like);
    const others = COMPARED_DAYS.filter((ago) => !isLike(day - ago));
    const left = LAST_WEEK.filter((ago) => !others.includes(ago)).length;
    // The days of its own weekday may have been special too. Then all days are better than none.
    if (left < (like === undefined ? FEWEST_DAYS : 1)) return [];
    return others.map((daysAgo) => ({ daysAgo, name: nameOf(day - daysAgo) }));
  });

  /** A working day, Saturday or Sunday, by what it is like; undefined where it is like none. */
  function kindOn(day: number): string | undefined {
    const special = specialDay(day);
    const weekday = special === undefined ? weekdayOf(day) : special.like;
    return weekday && kindOf(weekday);
  }

  const otherKindOn = remembered((day: number): DayBefore[] => {
    const kind = kindOn(day);
    if (!hasKinds || kind === undefined) return [];
    const same = LAST_WEEK.filter((ago) => kindOn(day - ago) === kind);
    const unlike = unlikeOn(day).map(({ daysAgo }) => daysAgo);
    if (same.length < FEWEST_DAYS || same.every((ago) => unlike.includes(ago))) return [];
    const others = LAST_WEEK.filter((ago) => !same.includes(ago));
    return others.map((daysAgo) => ({ daysAgo, name: nameOf(day - daysAgo) }));
  });

  const changeOn = remembered((utcDay: number): { at: number; hours: number } | undefined => {
    const from = utcDay * DAY - COPIED_AFTER;
    for (let minute = from; minute < utcDay * DAY + DAY + COPIED_BEFORE; minute += HOUR) {
      const hours = (zone.offsetAt(minute + HOUR) - zone.offsetAt(minute)) / HOUR;
      if (hours !== 0) return { at: minute + HOUR, hours };
    }
    return undefined;
  });

  function clockChange(minute: number): Now['clockChange'] {
    const change = changeOn(Math.floor(minute / DAY));
    if (change === undefined || minute < change.at - COPIED_BEFORE || minute > change.at + COPIED_AFTER)
      return undefined;
    return change.hours === 1 || change.hours === -1 ? change.hours : undefined;
  }

  function between(from: number, to: number): Dated[] {
    const [first, last] = [from, to].map((minute) => Math.floor(local(minute) / DAY)) as [number, number];
    const found = Array.from({ length: last - first + 1 }, (_, i) => onDay(first + i)).flat();
    const touching = found.filter(({ start, end }) => start < to && from < end);
    // A stretch that lasts over midnight is on both days.
    const once = new Map(touching.map((one) => [`${one.start} ${one.end} ${one.name}`, one]));
    return [...once.values()].sort((a, b) => a.start - b.start);
  }

  function at(minute: number): Now {
    const day = Math.floor(local(minute) / DAY);
    const running = onDay(day).filter(({ start, end }) => start <= minute && minute < end);
    return {
      utcOffsetSeconds: zone.offsetAt(minute) * 60,
      day: specialDay(day),
      planned: running.filter(({ kind }) => kind === 'planned'),
      campaigns: running.filter(({ kind }) => kind === 'campaign'),
      unlike: unlikeOn(day),
      otherKind: otherKindOn(day),
      clockChange: clockChange(minute),
    };
  }
  return { zone, at, between };
}

/** Remembers the results for the days that were asked for last. */
function remembered<T>(compute: (day: number) => T): (day: number) => T {
  const known = new Map<number, T>();
  return (day) => {
    if (known.has(day)) return known.get(day) as T;
    if (known.size > 100) known.clear();
    const value = compute(day);
    known.set(day, value);
    return value;
  };
}
