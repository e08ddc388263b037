import { JUDGED_STATUSES, type JudgedStatus, METRIC, RECORDED, STATUSES, WINDOWS } from '../../src/domain/names.ts';
import { dashboard, firing, oneOf, select, titled, UID } from './frame.ts';
import { BAD, GOOD, NORMAL, STATUS_COLORS, statusColor, WARNING } from './palette.ts';
import { at, fixedColor, layout, lines, over, override, stat, steps } from './panels.ts';
import type { Variable } from './schema.ts';

const WINDOW = 'window="$window"';
const JUDGED = `status=~"${JUDGED_STATUSES.join('|')}"`;
const NOT_LEARNED = 'Nothing yet: what is normal is known after two hours of counts, or at once after tillwatch import';

/**
 * Recorded series of one status in the chosen window, summed over the slices of the chosen level.
 */
const observed = (status: string) => `sum by (status) (${select(RECORDED.observed, `status="${status}", ${WINDOW}`)})`;
const count = (status: string) => `sum(${select(RECORDED.observed, `status="${status}", ${WINDOW}`)})`;
const total = `sum(${select(RECORDED.observed, WINDOW)})`;
const expected = (status: string) => `sum(${select(RECORDED.expected, `status="${status}", ${WINDOW}`)})`;
/**
 * As people count: scaled from what the rules compare, the window without its busiest minute, to
 * the whole window.
 */
const upper = (status: string) =>
  `sum(${select(RECORDED.upper, `status="${status}", ${WINDOW}`)} / on (window) group_left () ${RECORDED.evidenceShare})`;
const lower = (status: string) => `sum(${select(RECORDED.lower, `status="${status}", ${WINDOW}`)})`;
/** What was observed in the minutes in which the rules found any window not normal. */
const marked = (status: string, verdict: string) =>
  `sum by (status) (${select(RECORDED.observed, `status="${status}", ${WINDOW}`)} and ignoring (window) ` +
  `(max without (window) (${select(verdict, `status="${status}"`)}) == 1))`;

const band = (color: string) => ({
  color: fixedColor(color),
  'custom.lineWidth': 1,
  'custom.fillOpacity': 14,
});
const NORMAL_LINE = override('normal', {
  color: fixedColor(NORMAL),
  'custom.lineStyle': { fill: 'dash', dash: [6, 6] },
  'custom.lineWidth': 1,
});
const marks = (name: string) =>
  override(name, {
    color: fixedColor(BAD),
    'custom.drawStyle': 'points',
    'custom.pointSize': 7,
    'custom.showPoints': 'always',
  });

const judged = (status: JudgedStatus) =>
  lines({
    title: `${titled(status)} in $window`,
    description:
      'Shaded: what is normal for this time of day and as many approved transactions. Red: minutes that the rules found above normal, in ' +
      'whichever window. With several acquirers or merchants all lines are sums; the rules judge each one by itself.',
    queries: [
      over(upper(status), 'highest normal'),
      over(expected(status), 'normal'),
      over(observed(status), '{{status}}'),
      over(marked(status, 'status_window:transactions:above_normal'), 'above normal'),
    ],
    unit: 'short',
    decimals: 0,
    noValue: NOT_LEARNED,
    list: true,
    overrides: [
      override('highest normal', band(NORMAL)),
      NORMAL_LINE,
      override(status, { color: fixedColor(statusColor(status)) }),
      marks('above normal'),
    ],
  });

const approved = lines({
  title: 'Approved in $window',
  description:
    'Shaded: what is usual at this time of day, at the level of the last hours. Below it sales are being lost. Red: minutes that the rules ' +
    'found below normal. Above it nothing alerts.',
  queries: [
    over(lower('approved'), 'lowest normal'),
    over(upper('approved'), 'highest usual'),
    over(expected('approved'), 'normal'),
    over(observed('approved'), '{{status}}'),
    over(marked('approved', 'status_window:transactions:below_normal'), 'below normal'),
  ],
  unit: 'short',
  decimals: 0,
  noValue: NOT_LEARNED,
  list: true,
  overrides: [
    override('lowest normal', { color: fixedColor(NORMAL), 'custom.lineWidth': 1 }),
    override('highest usual', { ...band(NORMAL), 'custom.fillBelowTo': 'lowest normal' }),
    NORMAL_LINE,
    override('approved', { color: fixedColor(statusColor('approved')) }),
    marks('below normal'),
  ],
});

const share = (part: string) => `${part} / (${total} - ${count('denied')} + ${part})`;

const deniedShare = lines({
  title: 'Share denied in $window',
  description: 'Of all transactions. Shaded: the shares that are normal, with everything else as it is.',
  queries: [
    over(share(upper('denied')), 'highest normal'),
    over(share(expected('denied')), 'normal'),
    over(`${count('denied')} / ${total}`, 'denied'),
  ],
  unit: 'percentunit',
  decimals: 1,
  noValue: NOT_LEARNED,
  list: true,
  overrides: [override('highest normal', band(NORMAL)), NORMAL_LINE, ...STATUS_COLORS],
});

const otherShares = lines({
  title: 'Other shares in $window',
  description: 'Of all transactions, without approved and denied, which would hide them.',
  queries: [
    over(
      `sum by (status) (${select(RECORDED.observed, `status!~"approved|denied", ${WINDOW}`)}) / on () group_left () ${total}`,
      '{{status}}',
    ),
  ],
  unit: 'percentunit',
  decimals: 2,
  overrides: STATUS_COLORS,
});

const volume = lines({
  title: 'Transactions a minute',
  description: 'Exact counts of each minute, by status. A gap is time without a scrape, not without sales.',
  queries: [over(`sum by (status) (${select(RECORDED.perMinute)})`, '{{status}}')],
  unit: 'short',
  decimals: 0,
  stacked: true,
  calcs: ['lastNotNull', 'mean', 'max'],
  overrides: STATUS_COLORS,
});

const scores = lines({
  title: 'Distance from normal in $window',
  description:
    'In standard deviations: 0 is normal, and within 3 is chance. Of several acquirers or merchants the highest, and for approved the ' +
    'lowest. The rules decide by the bands above, which also know what recurs.',
  queries: [
    over(`max by (status) (${select(RECORDED.score, `${JUDGED}, ${WINDOW}`)})`, '{{status}}'),
    over(`min by (status) (${select(RECORDED.score, `status="approved", ${WINDOW}`)})`, '{{status}}'),
  ],
  unit: 'none',
  decimals: 1,
  noValue: NOT_LEARNED,
  signed: true,
  calcs: ['lastNotNull', 'min', 'max'],
  overrides: STATUS_COLORS,
});

const COMPARED = select(RECORDED.perMinute, 'status=~"$status"');
/** Transactions a minute over `range`, as they were some days before. */
const rate = (range: string, daysAgo = 0) =>
  `sum(avg_over_time(${COMPARED}[${range}]${daysAgo > 0 ? ` offset ${daysAgo}d` : ''}))`;
const average = (range: string, days: number[]) =>
  `avg(${days.map((ago) => `label_replace(${rate(range, ago)}, "ago", "${ago}d", "", "")`).join(' or ')})`;

/** What today is compared with. An average takes the days that there are. */
const BEFORE: [name: string, of: (range: string) => string][] = [
  ['yesterday', (range) => rate(range, 1)],
  ['same weekday last week', (range) => rate(range, 7)],
  ['average of 7 days', (range) => average(range, [1, 2, 3, 4, 5, 6, 7])],
  ['average of this weekday, 4 weeks', (range) => average(range, [7, 14, 21, 28])],
];

const comparison = lines({
  title: 'Against other days: $status',
  description: 'Transactions a minute, mean of a quarter of an hour, at the same time of other days.',
  queries: [over(rate('15m'), 'today'), ...BEFORE.map(([name, of]) => over(of('15m'), name))],
  unit: 'short',
  decimals: 1,
  noValue: 'No counts at this time, or none a day and a week before',
  list: true,
  overrides: [
    override('today', { color: fixedColor(statusColor('approved')), 'custom.lineWidth': 3 }),
    override('yesterday', { color: fixedColor(statusColor('reversed')) }),
    override('same weekday last week', { color: fixedColor(statusColor('failed')) }),
    override('average of 7 days', { color: fixedColor(NORMAL) }),
    override('average of this weekday, 4 weeks', {
      color: fixedColor(NORMAL),
      'custom.lineStyle': { fill: 'dash', dash: [6, 6] },
    }),
  ],
});

const lastHour = stat({
  title: 'Last hour against other days: $status',
  description: 'How many more (or fewer, below 0) than in the same hour. Differences of days, not a verdict.',
  queries: BEFORE.map(([name, of]) => at(`${rate('1h')} / ${of('1h')} - 1`, name)),
  unit: 'percentunit',
  decimals: 1,
  noValue: 'no counts then',
  show: 'value_and_name',
  colored: false,
});

const strip = {
  firing: stat({
    title: 'Firing alerts',
    description: 'Now, without the watchdog, which always fires.',
    queries: [at(`count(${firing()}) or vector(0)`, 'alerts')],
    decimals: 0,
    field: { thresholds: steps(GOOD, [1, BAD]) },
    links: [{ title: 'Which ones', url: `/d/${UID.alerts}` }],
  }),
  report: stat({
    title: 'Last report',
    description: 'How long ago a current report was counted. After two minutes without one the feed counts as silent.',
    queries: [at(`time() - max(${METRIC.lastReport} > 0)`, 'ago')],
    unit: 's',
    decimals: 0,
    noValue: 'none yet',
    field: { thresholds: steps(GOOD, [90, WARNING], [120, BAD]) },
  }),
  minute: stat({
    title: 'In the last minute',
    description: 'Transactions of all statuses.',
    queries: [over(`sum(${select(RECORDED.perMinute)})`, 'transactions')],
    decimals: 0,
    curve: true,
    field: { color: fixedColor(statusColor('approved')) },
  }),
  sales: stat({
    title: 'Approved against normal',
    description: 'In $window. A quarter fewer than usual, and more than chance, alerts.',
    queries: [at(`${count('approved')} / ${expected('approved')} - 1`, 'difference')],
    unit: 'percentunit',
    decimals: 1,
    noValue: 'not known yet',
    field: { thresholds: steps(BAD, [-0.25, WARNING], [-0.15, GOOD]) },
  }),
  shares: stat({
    title: 'Shares in $window',
    description: 'Of all transactions.',
    queries: [
      over(
        `sum by (status) (${select(RECORDED.observed, `${JUDGED}, ${WINDOW}`)}) / on () group_left () ${total}`,
        '{{status}}',
      ),
    ],
    unit: 'percentunit',
    decimals: 2,
    show: 'value_and_name',
    curve: true,
    overrides: STATUS_COLORS,
  }),
};

const VARIABLES: Variable[] = [
  oneOf('window', WINDOWS, '5m', 'How many minutes are added up. The rules judge all of them but 1m.'),
  {
    ...oneOf('status', STATUSES, '', 'What is compared with other days.'),
    current: { selected: true, text: 'All', value: '$__all' },
    multi: true,
    includeAll: true,
    allValue: '.*',
  },
];

export const transactions = dashboard({
  uid: UID.transactions,
  title: 'Transactions',
  description: 'What is happening now, against what is normal for this time of day and this volume.',
  from: '6h',
  variables: VARIABLES,
  panels: layout([
    {
      title: '',
      rows: [[5, [3, strip.firing], [3, strip.report], [4, strip.minute], [4, strip.sales], [10, strip.shares]]],
    },
    {
      title: 'Against normal',
      rows: [
        [8, [12, judged('denied')], [12, approved]],
        [8, [8, judged('failed')], [8, judged('reversed')], [8, judged('backend_reversed')]],
        [8, [24, scores]],
      ],
    },
    {
      title: 'Volume and shares',
      rows: [
        [8, [24, volume]],
        [8, [12, deniedShare], [12, otherShares]],
      ],
    },
    { title: 'Other days', rows: [[9, [17, comparison], [7, lastHour]]] },
  ]),
});
