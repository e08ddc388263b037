import type { Recurrence } from './recurrence.ts';

/** From Sunday on, as dates count them. */
export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** The expectation for a day. Days are local, counted since the epoch. */
export interface Kind {
  /** Its volume is compared with the last such weekday, not with all of the last days. */
  like?: Weekday | undefined;
  /** Its volume divided by that of the days it is compared with; absent where nobody can say. */
  factor?: number | undefined;
}

/** A day that is unlike others. */
export interface SpecialDay extends Kind {
  kind: 'holiday' | 'day';
  name: string;
  /** The local day whose volume it is expected to have, times its factor. */
  likeDate?: number | undefined;
}

/** Public holidays of a country, or of a region in it. */
export interface PublicHolidays extends Kind {
  /** The name of the holiday on a local day. */
  nameOn: (day: number) => string | undefined;
}

/** Days that somebody wrote down. */
export interface OwnDays extends Kind {
  name: string;
  likeDate?: number | undefined;
  /** Local minutes at which they begin. */
  days: Recurrence;
}

/** Part of the traffic: one value of one label. */
export interface Slice {
  label: string;
  value: string;
}

/** Stretches of local time; a start is a local minute. */
export interface Stretches {
  kind: 'planned' | 'campaign';
  name: string;
  /** All traffic where it is absent. */
  slice?: Slice | undefined;
  starts: Recurrence;
  minutes: number;
}

/** The entries of a calendar's file. */
export interface Entries {
  holidays: readonly PublicHolidays[];
  days: readonly OwnDays[];
  stretches: readonly Stretches[];
}

export const NO_ENTRIES: Entries = { holidays: [], days: [], stretches: [] };
