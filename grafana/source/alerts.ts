import { choice, dashboard, firing, RUNBOOK, UID } from './frame.ts';
import { BAD, GOOD, STATUS_COLORS, WARNING } from './palette.ts';
import { at, layout, lines, over, override, rowsAt, stat, steps, table, text, timeline } from './panels.ts';

const WHO = 'alertname, severity, status, auth_code, acquirer, merchant';
const ALERTS = firing('alertname=~"$alertname", alertname!="Watchdog"');
/** When each alert that fires became active, in seconds since the epoch. */
const SINCE = `max by (${WHO}) (ALERTS_FOR_STATE and ignoring (alertstate) ${ALERTS})`;
/** Each begin is one incident: it is in the value, which changes with every new one. */
const incidents = (by: string) => `sum by (${by}) (changes((${SINCE})[$__range:1m]) + 1)`;
const minutes = (by: string) => `sum by (${by}) (count_over_time((${SINCE})[$__range:1m]))`;
const longest = (by: string) => `max by (${by}) (max_over_time((time() - ${SINCE})[$__range:1m]))`;

const NONE = 'No alert in this time range';

const now = table({
  title: 'Firing now',
  description: 'The longest first. What to do about each is in the runbook beside.',
  queries: [rowsAt(`time() - ${SINCE}`)],
  columns: [
    ['alertname', 'Alert'],
    ['severity', 'Severity'],
    ['status', 'Status'],
    ['auth_code', 'Auth code'],
    ['acquirer', 'Acquirer'],
    ['merchant', 'Merchant'],
    ['Value', 'For'],
  ],
  sortBy: 'For',
  noValue: 'Nothing is firing',
  overrides: [
    override('Severity', severityColor()),
    override('For', { unit: 's', decimals: 0 }),
    override('Alert', { 'custom.width': 290 }),
  ],
});

function severityColor() {
  const color = (text: string, of: string, index: number) => ({ [text]: { text, color: of, index } });
  return {
    mappings: [{ type: 'value', options: { ...color('critical', BAD, 0), ...color('warning', WARNING, 1) } }],
    'custom.cellOptions': { type: 'color-text' },
  };
}

const log = table({
  title: 'Incidents in this time range',
  description:
    'One line an incident, the latest first. It lasts from when the rules first found it to the end of keep_firing_for, five minutes after ' +
    'the last minute that was not normal; only the part within the time range counts.',
  queries: [rowsAt(`60 * count_over_time((count_values by (${WHO}) ("since", ${SINCE}))[$__range:1m])`)],
  columns: [
    ['since', 'Began'],
    ['alertname', 'Alert'],
    ['severity', 'Severity'],
    ['status', 'Status'],
    ['auth_code', 'Auth code'],
    ['acquirer', 'Acquirer'],
    ['merchant', 'Merchant'],
    ['Value', 'Fired for'],
  ],
  sortBy: 'Began',
  noValue: NONE,
  // The label holds seconds since the epoch.
  transformations: [
    {
      id: 'convertFieldType',
      options: { conversions: [{ targetField: 'since', destinationType: 'time', dateFormat: 'X' }] },
    },
  ],
  overrides: [override('Severity', severityColor()), override('Fired for', { unit: 's', decimals: 0 })],
});

const byAlert = table({
  title: 'By alert',
  description: 'Within the time range. Time to resolve is the mean over its incidents, those that still fire included.',
  queries: [
    rowsAt(incidents('alertname')),
    rowsAt(`60 * ${minutes('alertname')} / ${incidents('alertname')}`),
    rowsAt(longest('alertname')),
    rowsAt(`60 * ${minutes('alertname')}`),
  ],
  columns: [
    ['alertname', 'Alert'],
    ['Value #A', 'Incidents'],
    ['Value #B', 'Time to resolve'],
    ['Value #C', 'Longest'],
    ['Value #D', 'In all'],
  ],
  sortBy: 'Incidents',
  unit: 's',
  decimals: 0,
  noValue: NONE,
  overrides: [override('Incidents', { unit: 'none' }), override('Alert', { 'custom.width': 290 })],
});

const BY = 'alertname, status, auth_code';
const history = timeline({
  title: 'When they fired',
  description: 'Red: critical. Orange: warning.',
  queries: [
    over(
      `2 * max by (${BY}) (${firing('severity="critical", alertname=~"$alertname"')}) or max by (${BY}) (${ALERTS})`,
      '{{alertname}} {{status}}{{auth_code}}',
    ),
  ],
  noValue: NONE,
  field: {
    thresholds: steps(WARNING, [2, BAD]),
    mappings: [{ type: 'value', options: { 1: { text: 'warning', index: 0 }, 2: { text: 'critical', index: 1 } } }],
  },
});

const strip = {
  critical: stat({
    title: 'Critical, firing',
    description: 'They wake someone.',
    queries: [at(`count(${firing('severity="critical"')}) or vector(0)`, 'critical')],
    decimals: 0,
    field: { thresholds: steps(GOOD, [1, BAD]) },
  }),
  warning: stat({
    title: 'Warnings, firing',
    description: 'They go to chat.',
    queries: [at(`count(${firing('severity="warning"')}) or vector(0)`, 'warning')],
    decimals: 0,
    field: { thresholds: steps(GOOD, [1, WARNING]) },
  }),
  incidents: stat({
    title: 'Incidents',
    description: 'That fired within the time range.',
    queries: [at(`sum(${incidents('alertname')}) or vector(0)`, 'incidents')],
    decimals: 0,
    colored: false,
  }),
  resolve: stat({
    title: 'Time to resolve',
    description: 'Mean over the incidents of the time range.',
    queries: [at(`60 * sum(${minutes('alertname')}) / sum(${incidents('alertname')})`, 'mean')],
    unit: 's',
    decimals: 0,
    noValue: 'none',
    colored: false,
  }),
  watchdog: stat({
    title: 'Watchdog',
    description: 'It always fires, to show that alerts are evaluated at all.',
    queries: [at('sum(ALERTS{alertname="Watchdog", alertstate="firing"}) or vector(0)', 'watchdog')],
    field: {
      thresholds: steps(BAD, [1, GOOD]),
      mappings: [{ type: 'value', options: { 0: { text: 'silent', index: 0 }, 1: { text: 'fires', index: 1 } } }],
    },
    links: [{ title: 'Tillwatch', url: `/d/${UID.health}` }],
  }),
};

const together = lines({
  title: 'Firing at the same time',
  description: 'Alerts by status; several at once are usually one incident with its consequences.',
  queries: [over(`sum by (status) (label_replace(${ALERTS}, "status", "other", "status", ""))`, '{{status}}')],
  decimals: 0,
  noValue: NONE,
  bars: true,
  overrides: STATUS_COLORS,
});

/** @param names of all alerts, for links to their headings in the runbook */
export const alerts = (names: readonly string[]) =>
  dashboard({
    uid: UID.alerts,
    title: 'Alerts',
    description: 'What fires, what fired, and how long it took until it was over.',
    from: '24h',
    variables: [choice('alertname', 'ALERTS{alertname!="Watchdog"}', 'Alerts to look at.', 'Alert')],
    panels: layout([
      {
        title: '',
        rows: [
          [4, [5, strip.critical], [5, strip.warning], [5, strip.incidents], [5, strip.resolve], [4, strip.watchdog]],
          [9, [18, now], [6, text('What to do', runbook(names))]],
        ],
      },
      {
        title: 'History',
        rows: [
          [9, [15, history], [9, together]],
          [9, [14, log], [10, byAlert]],
        ],
      },
    ]),
  });

const runbook = (names: readonly string[]): string =>
  names.map((name) => `- [${name}](${RUNBOOK}#${name.toLowerCase()})`).join('\n');
