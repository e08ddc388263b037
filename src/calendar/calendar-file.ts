import { z } from 'zod';
import { UsageError } from '../config/usage-error.ts';
import { DIMENSIONS } from '../domain/names.ts';
import { openZone, type Zone } from '../domain/zone.ts';
import { suggest } from '../intake/suggest.ts';
import { formatProblem, type Problem } from '../runtime/file-problem.ts';
import { lineOf, readYaml, type YamlFile } from '../runtime/yaml-file.ts';
import { type Calendar, openCalendar } from './calendar.ts';
import { type Entries, NO_ENTRIES, type PublicHolidays, type Slice, WEEKDAYS, type Weekday } from './entries.ts';
import { type Marked, markSamples } from './marks.ts';
import { type Recurrence, recurrenceOf, wrongRule } from './recurrence.ts';
import { type CalendarAt, samplesOf } from './series.ts';

const DAY = 1440;
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::00)?)?$/;

/**
 * Local minutes of a date or a time, and whether it is only a date; undefined where it is neither.
 */
function readLocal(text: string): { minute: number; isDate: boolean } | undefined {
  const [, date = '', clock] = TIME.exec(text) ?? [];
  const minute = Date.parse(`${date}T${clock ?? '00:00'}:00Z`) / 60_000;
  // 30 February would become a day in March.
  const isReal = !Number.isNaN(minute) && new Date(minute * 60_000).toISOString().startsWith(date);
  return date !== '' && isReal ? { minute, isDate: clock === undefined } : undefined;
}

/** Minutes of `2h`, `90m`, `1d`, `1h30m`; undefined for anything else and for nothing. */
function readMinutes(text: string): number | undefined {
  const [whole, days = '0', hours = '0', minutes = '0'] = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?$/.exec(text) ?? [];
  const sum = Number(days) * DAY + Number(hours) * 60 + Number(minutes);
  return whole === undefined || sum === 0 ? undefined : sum;
}

/** A text that `read` understands. */
const readable = <T>(read: (text: string) => T | undefined, like: string) =>
  z.string({ error: `must be ${like}` }).transform((text, context): T => {
    const value = read(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `"${text}" must be ${like}` });
    return z.NEVER;
  });

const time = readable(readLocal, 'a local time such as 2026-11-29 01:00');
const date = readable((text) => {
  const local = readLocal(text);
  return local?.isDate ? local.minute : undefined;
}, 'a date such as 2026-12-24');
const lasts = readable(readMinutes, 'a duration such as 2h, 90m or 1d');
const name = z.string({ error: 'must be a name' }).min(1, 'must not be empty').max(200);
const rule = z.string({ error: 'must be a rule such as FREQ=WEEKLY;BYDAY=SU' }).superRefine((text, context) => {
  const message = wrongRule(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
const like = z.enum(WEEKDAYS, { error: `must be one of ${WEEKDAYS.join(', ')}` });
const isWeekday = (text: string): text is Weekday => (WEEKDAYS as readonly string[]).includes(text);
const likeDay = readable(
  (text): { like?: Weekday; likeDate?: number } | undefined => {
    const local = readLocal(text);
    if (local?.isDate) return { likeDate: local.minute / DAY };
    return isWeekday(text) ? { like: text } : undefined;
  },
  `one of ${WEEKDAYS.join(', ')}, or a date such as 2025-11-28`,
);
const factor = z
  .number({ error: 'must be a number such as 0.4' })
  .min(0.01, 'must be from 0.01 to 100')
  .max(100, 'must be from 0.01 to 100');

const LABELS = [...DIMENSIONS, 'source'];
const slice = z
  .record(z.string(), z.string({ error: 'must be a text' }), {
    error: 'must be a label and its value, such as {acquirer: acme}',
  })
  .transform((record, context): Slice => {
    const [[label = '', value = ''] = [], ...more] = Object.entries(record);
    if (more.length === 0 && LABELS.includes(label)) return { label, value };
    const near = suggest(label, LABELS);
    const known = near && near !== label ? `did you mean "${near}"?` : `labels are ${LABELS.join(', ')}`;
    context.addIssue({ code: 'custom', message: `must name one label and its value; ${known}` });
    return z.NEVER;
  });

const stretch = z
  .strictObject({
    name,
    from: time,
    to: time.optional(),
    lasts: lasts.optional(),
    rule: rule.optional(),
    of: slice.optional(),
  })
  .transform(({ from, to, lasts: given, rule: text, of, ...named }, context) => {
    if ((to === undefined) === (given === undefined)) {
      context.addIssue({ code: 'custom', message: 'give either "to" or "lasts"' });
      return z.NEVER;
    }
    // A date as the end is that whole day.
    const minutes = given ?? (to?.minute ?? 0) + (to?.isDate ? DAY : 0) - from.minute;
    if (minutes <= 0) context.addIssue({ code: 'custom', path: ['to'], message: 'must be later than "from"' });
    if (minutes > 366 * DAY)
      context.addIssue({ code: 'custom', path: ['to'], message: 'must be within a year of "from"' });
    return { ...named, slice: of, minutes, starts: startsOf(text, from.minute) };
  });

const ownDay = z
  .strictObject({ name, date, rule: rule.optional(), like: likeDay.optional(), factor: factor.optional() })
  .transform(({ date: first, rule: text, like: alike = {}, ...day }, context) => {
    if (alike.likeDate !== undefined && alike.likeDate * DAY >= first)
      context.addIssue({ code: 'custom', path: ['like'], message: 'must be before "date"' });
    return { ...day, ...alike, days: startsOf(text, first) };
  });

/** Countries are checked afterwards, because their list is only loaded where somebody names one. */
const holidays = z.strictObject({
  country: z.string({ error: 'must be a code such as BR' }),
  region: z.string({ error: 'must be a code such as SP' }).optional(),
  like: like.optional(),
  factor: factor.optional(),
});

const listOf = <S extends z.ZodType>(item: S) => z.array(item, { error: 'must be a list: begin each entry with "- "' });

const shape = z.strictObject({
  holidays: listOf(holidays).default([]),
  days: listOf(ownDay).default([]),
  planned: listOf(stretch).default([]),
  campaigns: listOf(stretch).default([]),
});

function startsOf(text: string | undefined, first: number): Recurrence {
  // The rule itself is checked beside this.
  if (text !== undefined && wrongRule(text) === undefined) return recurrenceOf(text, first);
  return { between: (from, to) => (from <= first && first <= to ? [first] : []) };
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': ['holidays', 'days', 'planned', 'campaigns'],
  holidays: ['country', 'region', 'like', 'factor'],
  days: ['name', 'date', 'rule', 'like', 'factor'],
  planned: ['name', 'from', 'to', 'lasts', 'rule', 'of'],
  campaigns: ['name', 'from', 'to', 'lasts', 'rule', 'of'],
};

function problemsOf(yaml: YamlFile, issue: z.core.$ZodIssue): Problem[] {
  const at = issue.path as (string | number)[];
  const where = (path: readonly (string | number)[]) => ({ file: yaml.path, line: lineOf(yaml, path) });
  const prefix = at.length > 0 ? `${at.join('.')}: ` : '';
  if (issue.code !== 'unrecognized_keys') {
    const message =
      issue.code === 'invalid_type' && at.length === 0
        ? 'must be a map with holidays, days, planned or campaigns'
        : issue.message;
    return [{ ...where(at), message: `${prefix}${message}` }];
  }
  const known = KEYS[String(at[0] ?? '')] ?? [];
  return issue.keys.map((key) => {
    const near = suggest(key, known);
    const right = near ? `did you mean "${near}"?` : `keys are ${known.join(', ')}`;
    return { ...where([...at, key]), message: `${prefix}unknown key "${key}"; ${right}` };
  });
}

type Asked = z.output<typeof holidays>;

async function openHolidays(yaml: YamlFile, asked: readonly Asked[], problems: Problem[]): Promise<PublicHolidays[]> {
  if (asked.length === 0) return [];
  // The package has two megabytes, which most calendars do not need.
  const { countries, publicHolidays, regionsOf } = await import('./holidays.ts');
  return asked.flatMap(({ country, region, like: said, factor: times }, index) => {
    const code = country.toUpperCase();
    const wrong = (key: string, message: string) => {
      const path = ['holidays', index, key];
      problems.push({ file: yaml.path, line: lineOf(yaml, path), message: `${path.join('.')}: ${message}` });
      return [];
    };
    if (!countries().includes(code))
      return wrong('country', `"${country}" is not known; write it as ISO 3166 does, such as BR`);
    const regions = regionsOf(code);
    const known = regions.length === 0 ? `${code} has no regions` : `regions of ${code} are ${regions.join(', ')}`;
    const inCase = region?.toUpperCase();
    if (inCase !== undefined && !regions.includes(inCase)) return wrong('region', `"${region}" is not known; ${known}`);
    return { nameOn: publicHolidays(code, inCase), like: said ?? 'sunday', factor: times };
  });
}

/**
 * Days that come within a year and are like a date that Prometheus will have deleted by then.
 * @param kept days that it keeps
 */
function tooOld(yaml: YamlFile, days: Entries['days'], kept: number): Problem[] {
  const now = Date.now() / 60_000;
  return days.flatMap(({ likeDate, days: starts }, index) => {
    const [next] = starts.between(now, now + 366 * DAY);
    if (likeDate === undefined || next === undefined || next / DAY - likeDate <= kept) return [];
    const path = ['days', index, 'like'];
    const message = `${path.join('.')}: is more than ${kept} days before that day; a Prometheus of \`tillwatch up\` keeps no more, and nobody would know its volume`;
    return [{ file: yaml.path, line: lineOf(yaml, path), message }];
  });
}

/**
 * Reads a calendar's file. Everything wrong in it is in `problems`, each with its line, and what
 * may not work in `notes`.
 * @param kept days that Prometheus keeps
 */
export async function readEntries(
  file: string,
  kept = Number.POSITIVE_INFINITY,
): Promise<{ entries: Entries; problems: Problem[]; notes: Problem[] }> {
  const yaml = await readYaml(file);
  if (yaml.problems.length > 0) return { entries: NO_ENTRIES, problems: yaml.problems, notes: [] };
  const result = shape.safeParse(yaml.doc.toJS() ?? {});
  if (!result.success)
    return {
      entries: NO_ENTRIES,
      problems: result.error.issues.flatMap((issue) => problemsOf(yaml, issue)),
      notes: [],
    };
  const { days, planned, campaigns } = result.data;
  const problems: Problem[] = [];
  const entries: Entries = {
    holidays: await openHolidays(yaml, result.data.holidays, problems),
    days,
    stretches: [
      ...planned.map((one) => ({ ...one, kind: 'planned' as const })),
      ...campaigns.map((one) => ({ ...one, kind: 'campaign' as const })),
    ],
  };
  return { entries, problems, notes: tooOld(yaml, days, kept) };
}

export const UTC: Zone = { name: 'UTC', offsetAt: () => 0, toUtc: (minute) => ({ minute }) };

/**
 * Returns the series of the calendar and of marks at each minute of a history, as the rules read
 * them; undefined where nobody gave a zone, a file or a mark.
 * @param file empty for none
 * @throws UsageError that names every wrong line
 */
export async function readHistoryCalendar(
  file: string,
  zone = 'UTC',
  marks: readonly Marked[] = [],
): Promise<CalendarAt | undefined> {
  const isGiven = file !== '' || openZone(zone)?.name !== 'UTC';
  if (!isGiven && marks.length === 0) return undefined;
  const calendar = await readCalendar(file, zone);
  const said = (minute: number) => (isGiven ? samplesOf(calendar.at(minute)) : []);
  return (minute) => [...said(minute), ...markSamples(marks, minute, calendar.zone)];
}

/**
 * The calendar of a file, in a time zone.
 * @param file empty for none
 * @param zone a name or an offset
 * @throws UsageError that names every wrong line
 */
export async function readCalendar(file: string, zone: string): Promise<Calendar> {
  const opened = openZone(zone) ?? UTC;
  if (file === '') return openCalendar(NO_ENTRIES, opened);
  const { entries, problems } = await readEntries(file);
  if (problems.length > 0)
    throw new UsageError(problems.map((one) => `--calendar: ${formatProblem(one, process.cwd())}`).join('\n'));
  return openCalendar(entries, opened);
}
