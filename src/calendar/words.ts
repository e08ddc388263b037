import type { Calendar, Running } from './calendar.ts';
import { likeOf } from './series.ts';

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function running({ name, slice, end }: Running, minute: number, { zone }: Calendar): string {
  const local = (at: number) => new Date((at + zone.offsetAt(at)) * 60_000).toISOString();
  const [now, until] = [local(minute), local(end)];
  const shown = now.slice(0, 10) === until.slice(0, 10) ? until.slice(11, 16) : until.slice(0, 16).replace('T', ' ');
  return `${name}${slice === undefined ? '' : ` (${slice.label} ${slice.value})`} until ${shown} ${zone.name}`;
}

/**
 * The planned windows of all traffic that are on at a minute since the epoch; undefined for none.
 */
export function describePlanned(calendar: Calendar, minute: number): string | undefined {
  const planned = calendar.at(minute).planned.filter(({ slice }) => slice === undefined);
  if (planned.length === 0) return undefined;
  return `Planned: ${planned.map((one) => running(one, minute, calendar)).join('; ')}`;
}

/**
 * Describes a minute since the epoch in one line, such as "today: Black Friday"; undefined on an
 * ordinary day.
 */
export function describeNow(calendar: Calendar, minute: number): string | undefined {
  const { day, planned, campaigns } = calendar.at(minute);
  const said: string[] = [];
  if (day !== undefined) {
    const weekday = day.like === undefined ? '' : `, like a ${capitalised(day.like)}`;
    const like = day.likeDate === undefined ? weekday : `, like ${likeOf(day)}`;
    const factor = day.factor === undefined ? '' : `, ${day.factor} times the volume`;
    said.push(`today: ${day.name}${like}${factor}`);
  }
  for (const one of planned) said.push(`planned: ${running(one, minute, calendar)}`);
  for (const one of campaigns) said.push(`campaign: ${running(one, minute, calendar)}`);
  return said.length === 0 ? undefined : said.join('; ');
}
