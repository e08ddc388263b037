import rrule from 'rrule';
import { suggest } from '../intake/suggest.ts';

/** Times at which something recurs, as local minutes (domain/zone.ts). */
export interface Recurrence {
  /** The starts from one time to another, both inclusive. */
  between: (from: number, to: number) => number[];
}

const NUMBERS = (least: number, most: number, isSigned: boolean) => (text: string) =>
  text.split(',').every((part) => {
    const number = Number(isSigned ? part.replace(/^[+-]/, '') : part);
    return /^[+-]?\d+$/.test(part) && number >= least && number <= most;
  });

/** The parts of a rule by RFC 5545 that we take: whether a value is one, and how one looks. */
const PARTS: Readonly<Record<string, readonly [isRight: (text: string) => boolean, like: string]>> = {
  FREQ: [(text) => /^(DAILY|WEEKLY|MONTHLY|YEARLY)$/.test(text), 'DAILY, WEEKLY, MONTHLY or YEARLY'],
  INTERVAL: [(text) => /^[1-9]\d{0,3}$/.test(text), 'a whole number from 1'],
  COUNT: [(text) => /^[1-9]\d{0,4}$/.test(text), 'a whole number from 1'],
  UNTIL: [(text) => /^\d{4}(0[1-9]|1[0-2])([0-2]\d|3[01])(T\d{6}Z?)?$/.test(text), 'a day such as 20261231'],
  BYDAY: [
    (text) => /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU))*$/.test(text),
    'days such as SU, MO,WE or -1FR',
  ],
  BYMONTHDAY: [NUMBERS(1, 31, true), 'days of the month such as 5,20 or -1'],
  BYMONTH: [NUMBERS(1, 12, false), 'months such as 3 or 6,12'],
  BYYEARDAY: [NUMBERS(1, 366, true), 'days of the year such as 1 or -1'],
  BYWEEKNO: [NUMBERS(1, 53, true), 'weeks such as 1 or -1'],
  BYSETPOS: [NUMBERS(1, 366, true), 'positions such as 1 or -1'],
  BYHOUR: [NUMBERS(0, 23, false), 'hours such as 2,14'],
  BYMINUTE: [NUMBERS(0, 59, false), 'minutes such as 0,30'],
  WKST: [(text) => /^(MO|TU|WE|TH|FR|SA|SU)$/.test(text), 'a day such as MO'],
};

/** Says what is wrong with a rule, and what would be right; undefined for a good rule. */
export function wrongRule(text: string): string | undefined {
  const pairs = partsOf(text);
  for (const [name, value] of pairs) {
    const part = PARTS[name];
    if (part === undefined) {
      const near = suggest(name, Object.keys(PARTS));
      return `"${name}" is no part of a rule; ${near ? `did you mean ${near}?` : 'write it as FREQ=WEEKLY;BYDAY=SU'}`;
    }
    const [isRight, like] = part;
    if (!isRight(value)) return `${name}=${value}: must be ${like}`;
  }
  return pairs.some(([name]) => name === 'FREQ') ? undefined : 'FREQ is missing: write it as FREQ=WEEKLY;BYDAY=SU';
}

const partsOf = (text: string): [name: string, value: string][] =>
  text
    .trim()
    .replace(/^RRULE:/i, '')
    .split(';')
    .map((part) => part.split('='))
    .map(([name = '', value = '']) => [name.trim().toUpperCase(), value.trim().toUpperCase()]);

/**
 * @param text a rule by RFC 5545 in which nothing is wrong; its UNTIL is local
 * @param first the local minute from which it counts
 */
export function recurrenceOf(text: string, first: number): Recurrence {
  const parsed = rrule.RRule.parseString(
    partsOf(text)
      .map((pair) => pair.join('='))
      .join(';'),
  );
  // The package knows no zone: what it takes for UTC is local time here.
  const rule = new rrule.RRule({ ...parsed, dtstart: new Date(first * 60_000) });
  return {
    between: (from, to) =>
      rule.between(new Date(from * 60_000), new Date(to * 60_000), true).map((time) => time.getTime() / 60_000),
  };
}
