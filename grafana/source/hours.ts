import { METRIC, PERCENTILES, RECORDED, STATUSES } from '../../src/domain/names.ts';
import { FEWEST_MINUTES } from '../../src/judge/hours.ts';
import { dashboard, oneOf, select, UID } from './frame.ts';
import { NORMAL, STATUS_COLORS, statusColor } from './palette.ts';
import { at, fixedColor, layout, lines, over, override, rowsAt, stat, table } from './panels.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
/** How far back the usual hours are looked for. */
const PAST = '28d';

const COUNTED = select(RECORDED.perMinute);
const NOT_KNOWN = 'Nothing yet: no whole hour is recorded';

/** Transactions of the last hour, by status. Hours of which much is missing are left out. */
const hourly = (counts: string) =>
  `sum by (status) (60 * avg_over_time(${counts}[1h]) and count_over_time(${counts}[1h]) >= ${FEWEST_MINUTES})`;
/** When the hour that ends now began, by the clock of --timezone: seconds that count as UTC. */
const BEGAN = `((max(last_over_time(${METRIC.utcOffset}[5m])) or vector(0)) + time() - 3600)`;
/** 1, with the hour of the day as a label. */
const HOUR = `count_values("hour", hour(${BEGAN}))`;
const ofStatus = hourly(select(RECORDED.perMinute, 'status="$status"'));
const byHour = `(sum(${ofStatus}) * on () group_right () ${HOUR})[${PAST}:1h]`;
const ofWeekday = (day: number) =>
  `avg_over_time((sum(${ofStatus}) * on () group_right () ` +
  `(${HOUR} and on () day_of_week(${BEGAN}) == ${day}))[${PAST}:1h])`;

/** Monday first. */
const WEEK = [1, 2, 3, 4, 5, 6, 0];
/** Rows are merged by their labels, and columns named by the query: A, B, C ... */
const columnOf = (index: number) => `Value #${String.fromCharCode(65 + index)}`;
const HOUR_COLUMN = override('Hour', {
  unit: 'suffix::00',
  'custom.width': 70,
  'custom.cellOptions': { type: 'auto' },
});
const HOURS_AS_NUMBERS = [
  { id: 'convertFieldType', options: { conversions: [{ targetField: 'hour', destinationType: 'number' }] } },
];

const heatmap = table({
  title: '$status by hour and weekday',
  description:
    'Transactions in an hour: the mean of the last four weeks, darker the more. Hours are those of --timezone.',
  queries: WEEK.map((day) => rowsAt(ofWeekday(day))),
  columns: [['hour', 'Hour'], ...WEEK.map((day, i): [string, string] => [columnOf(i), DAYS[day] ?? ''])],
  sortBy: 'Hour',
  ascending: true,
  decimals: 0,
  noValue: NOT_KNOWN,
  transformations: HOURS_AS_NUMBERS,
  field: {
    min: 0,
    color: { mode: 'continuous-blues' },
    custom: { align: 'auto', cellOptions: { type: 'color-background' }, inspect: false },
  },
  overrides: [HOUR_COLUMN],
});

/** Mean, deviation and percentiles, of a subquery of hours. */
const summary = (hours: string) => [
  rowsAt(`avg_over_time(${hours})`),
  rowsAt(`stddev_over_time(${hours})`),
  ...PERCENTILES.map((p) => rowsAt(`quantile_over_time(${p / 100}, ${hours})`)),
];
const SUMMARY = ['Mean', 'Deviation', ...PERCENTILES.map((p) => `${p} %`)].map((name, i): [string, string] => [
  columnOf(i),
  name,
]);
const SUMMARY_SAYS = 'Transactions in an hour, over the last four weeks. 95 % of the hours have at most as many.';

const byStatus = table({
  title: 'Statistics by status',
  description: `${SUMMARY_SAYS.replace('95 %', 'Below 95 %: 95 %')}`,
  queries: summary(`${hourly(COUNTED)}[${PAST}:1h]`),
  columns: [['status', 'Status'], ...SUMMARY],
  sortBy: 'Mean',
  decimals: 0,
  noValue: NOT_KNOWN,
  overrides: [override('Status', { 'custom.width': 150 })],
});

const byHourOfDay = table({
  title: 'Statistics of $status by hour of the day',
  description: `${SUMMARY_SAYS.replace('95 %', 'Below 95 %: 95 %')} Hours are those of --timezone.`,
  queries: summary(byHour),
  columns: [['hour', 'Hour'], ...SUMMARY],
  sortBy: 'Hour',
  ascending: true,
  decimals: 0,
  noValue: NOT_KNOWN,
  transformations: HOURS_AS_NUMBERS,
  overrides: [HOUR_COLUMN],
});

/** Transactions a minute by status: the mean of a quarter of an hour, some days before. */
const quarter = (of: string, ago = 0) =>
  `sum by (status) (avg_over_time(${select(RECORDED.perMinute, of)}[15m]${ago > 0 ? ` offset ${ago}d` : ''}))`;
const daysAgo = (of: string, days: readonly number[]) =>
  days.map((ago) => `label_replace(${quarter(of, ago)}, "ago", "${ago}d", "", "")`).join(' or ');
const WEEKS = [7, 14, 21, 28];
const LAST_DAYS = [1, 2, 3, 4, 5, 6, 7];
/**
 * What a time of day usually has, by status, as on the live page: METHOD in src/judge/forecast.ts.
 */
const usually = (of = '') =>
  `((avg by (status) (${daysAgo(of, WEEKS)}) and count by (status) (${daysAgo(of, WEEKS)}) >= 2) ` +
  `or avg by (status) (${daysAgo(of, LAST_DAYS)}))`;
const NOW = `sum(${quarter('')})`;
const USUAL = `sum(${usually()})`;
/** How today has been so far, against what is usual. After now there is nothing in the range. */
const SCALE =
  `(clamp(sum_over_time(${NOW}[$__range:15m] @ end()) / ` +
  `sum_over_time((${USUAL} and on () ${NOW})[$__range:15m] @ end()), 0.5, 2) or vector(1))`;
const TO_COME = `(${USUAL} * on () ${SCALE} unless on () ${NOW})`;
const SO_FAR = `sum(sum_over_time(${COUNTED}[$__range]))`;
const REST = `15 * sum_over_time(${TO_COME}[$__range:15m])`;

const METHOD =
  'Expected: the mean of the same time on the same weekday of the last four weeks (of the last seven days where fewer than two weeks are ' +
  'known), times how today has been so far against those days (half to twice).';
const LATER = 'Choose Today as the time range: what is to come is drawn to its end';
const DASHED = { 'custom.lineStyle': { fill: 'dash', dash: [6, 6] } };

const forecast = lines({
  title: 'Today and the rest of it',
  description: `Transactions of all statuses a minute, mean of a quarter of an hour. ${METHOD} ${LATER}.`,
  queries: [over(NOW, 'counted'), over(USUAL, 'usual'), over(TO_COME, 'expected')],
  unit: 'short',
  decimals: 0,
  noValue: LATER,
  list: true,
  overrides: [
    override('counted', { color: fixedColor(statusColor('approved')) }),
    override('usual', { color: fixedColor(NORMAL), 'custom.lineWidth': 1 }),
    override('expected', { color: fixedColor(statusColor('approved')), ...DASHED }),
  ],
});

const wholeDay = stat({
  title: 'The day in numbers',
  description: `Transactions of all statuses in the time range. ${METHOD}`,
  queries: [at(SO_FAR, 'so far'), at(REST, 'expected still'), at(`${SO_FAR} + on () ${REST}`, 'whole day')],
  unit: 'short',
  decimals: 1,
  noValue: LATER,
  show: 'value_and_name',
  colored: false,
});

const OTHERS = STATUSES.filter((status) => !['approved', 'processing'].includes(status));
const NAMED = `status=~"${OTHERS.join('|')}"`;

const shares = lines({
  title: 'Shares, today and the rest of it',
  description: `Of all transactions. Dashed: usual at that time of day, for the time to come. ${LATER}.`,
  queries: [
    over(`${quarter(NAMED)} / on () group_left () ${NOW}`, '{{status}}'),
    over(`${usually(NAMED)} / on () group_left () ${USUAL} unless on () ${NOW}`, '{{status}} expected'),
  ],
  unit: 'percentunit',
  decimals: 2,
  noValue: LATER,
  overrides: [
    ...STATUS_COLORS,
    ...OTHERS.map((status) => override(`${status} expected`, { color: fixedColor(statusColor(status)), ...DASHED })),
  ],
});

export const hours = dashboard({
  uid: UID.hours,
  title: 'Hours',
  description: 'What each hour usually has, and what today will have.',
  from: 'today',
  variables: [oneOf('status', STATUSES, 'approved', 'Whose hours are shown.')],
  panels: layout([
    {
      title: '',
      rows: [
        [9, [18, forecast], [6, wholeDay]],
        [8, [24, shares]],
      ],
    },
    {
      title: 'Usual hours',
      rows: [
        [22, [14, heatmap], [10, byHourOfDay]],
        [9, [24, byStatus]],
      ],
    },
  ]),
});
