import Holidays from 'date-holidays';

export const countries = (): string[] => Object.keys(new Holidays().getCountries());

/** Regions of a country by their codes; none where it has none. */
export const regionsOf = (country: string): string[] => Object.keys(new Holidays().getStates(country) ?? {});

const DAY_MS = 86_400_000;

/**
 * @param country as ISO 3166 has it, such as BR
 * @param region of it, such as SP
 * @returns the English name of the public holiday on a local day (days since the epoch), if it is
 *   one
 */
export function publicHolidays(country: string, region?: string): (day: number) => string | undefined {
  const calendar = new Holidays(country, region ?? '', { languages: ['en'], types: ['public'] });
  const years = new Map<number, Map<number, string>>();
  function namesIn(year: number): Map<number, string> {
    const known = years.get(year);
    if (known !== undefined) return known;
    const names = new Map<number, string>();
    for (const { date, start, end, name } of calendar.getHolidays(year)) {
      const first = Date.parse(date.slice(0, 10)) / DAY_MS;
      const days = Math.max(1, Math.floor((end.getTime() - start.getTime()) / DAY_MS));
      for (let day = first; day < first + days; day++) names.set(day, name);
    }
    years.set(year, names);
    return names;
  }
  return (day) => namesIn(new Date(day * DAY_MS).getUTCFullYear()).get(day);
}
