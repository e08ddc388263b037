import { wordsIn } from '../domain/status-words.ts';
import { headerKey } from './header-names.ts';

/** The columns that today's hours are compared with. */
export const COMPARISONS = ['yesterday', 'same_day_last_week', 'avg_last_week', 'avg_last_month'] as const;
export type Comparison = (typeof COMPARISONS)[number];
export type HourlyRole = 'time' | 'today' | Comparison;

/** Header names by role, as `headerKey` writes them; they win over words. */
const NAMES: Record<HourlyRole, readonly string[]> = {
  time: ['time', 'hour', 'hora', 'horario', 'stunde', 'uhrzeit', 'heure', 'timestamp'],
  today: ['today', 'hoje', 'hoy', 'heute', 'aujourdhui'],
  yesterday: ['yesterday', 'ontem', 'ayer', 'gestern', 'hier'],
  same_day_last_week: ['samedaylastweek', 'sameweekdaylastweek', 'lastweek'],
  avg_last_week: ['avglastweek'],
  avg_last_month: ['avglastmonth'],
};

const TIME = /^(?:time|clock|hours?|hrs?|h|horas?|horario|zeit|uhrzeit|stunden?|heures?|or[ae]|uur|timestamp)$/;
const TODAY = /^(?:today|current|hoje|hoy|heute|aujourd|oggi|vandaag|atual|actual|d0)$/;
const YESTERDAY = /^(?:yesterday|ontem|ayer|gestern|hier|ieri|gisteren|d1)$/;
const DAY_BEFORE =
  /\b(?:prev(?:ious)? day|day before(?! yesterday)|dia anterior|d 1|1d|1 day ago|24 ?h(?:ours)? ago)\b/;
const WEEK = /^(?:weeks?|weekly|wk|semana|semanal|woche|semaine|settimana|week|7d|d7)$/;
const WEEK_AGO = /\b(?:d 7|7 days?|7 dias)\b/;
const MONTH = /^(?:months?|monthly|mes|mensal|mensual|monat|monats|mois|mese|maand|30d|28d|31d)$/;
const MONTH_AGO = /\b(?:30|28|31) (?:days?|dias|tage|jours)\b/;
const AVERAGE =
  /^(?:avg|ø|average|mean|medias?|medio|promedio|durchschnitt|mittel|mittelwert|schnitt|moy|moyenne|gemiddelde?)$/;
/** Words of columns that are made of the others, or are of another time. */
const OTHER =
  /^(?:diff|difference|delta|vs|versus|pct|percent|percentage|ratio|rate|growth|change|var|variation|variacao|variacion|max|min|std|stddev|median|p\d+|before|avant|ante|two|2|three|3|anteontem|anteayer|this)$/;

/** What a column of an hourly file holds, by the words of its name; undefined for anything else. */
function roleOf(name: string): HourlyRole | undefined {
  const text = wordsIn(name.replace(/\(.*\)/, ''))
    .join(' ')
    .replace(DAY_BEFORE, 'yesterday');
  const words = text.split(' ');
  const has = (word: RegExp) => words.some((one) => word.test(one));
  if (name.includes('%') || has(OTHER)) return undefined;
  const isWeek = has(WEEK) || WEEK_AGO.test(text);
  const isMonth = has(MONTH) || MONTH_AGO.test(text);
  if (has(AVERAGE)) return isMonth ? 'avg_last_month' : isWeek ? 'avg_last_week' : undefined;
  if (isMonth) return undefined;
  const days: HourlyRole[] = [
    ...(has(TODAY) ? ['today' as const] : []),
    ...(has(YESTERDAY) ? ['yesterday' as const] : []),
    ...(isWeek ? ['same_day_last_week' as const] : []),
  ];
  if (days.length === 0 && has(TIME)) return 'time';
  return days.length === 1 ? days[0] : undefined;
}

/** The column of each role that a header names. */
export function hourlyColumns(header: readonly string[]): Map<HourlyRole, number> {
  const at = new Map<HourlyRole, number>();
  for (const [role, names] of Object.entries(NAMES) as [HourlyRole, string[]][]) {
    const column = header.findIndex((name) => names.includes(headerKey(name)));
    if (column >= 0) at.set(role, column);
  }
  const taken = new Set(at.values());
  for (const [column, name] of header.entries()) {
    const role = taken.has(column) ? undefined : roleOf(name);
    if (role !== undefined && !at.has(role)) at.set(role, column);
  }
  return at;
}
