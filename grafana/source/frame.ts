import { RECORDED, TOTAL } from '../../src/domain/names.ts';
import { DATASOURCE, type layout } from './panels.ts';
import type { CheckedDashboard, Link, Variable } from './schema.ts';

/** The address in prometheus.yml as it is shipped. */
const SHIPPED_URL = 'http://localhost:8080';

/** Where links lead: the variable `LIVE_PAGE_CHOICE` holds the address. */
const LIVE_PAGE = '$' + '{live_page}/';
export const RUNBOOK = `${LIVE_PAGE}docs/runbook`;

export const UID = {
  transactions: 'tillwatch-transactions',
  authCodes: 'tillwatch-auth-codes',
  alerts: 'tillwatch-alerts',
  health: 'tillwatch-health',
  hours: 'tillwatch-hours',
} as const;

/**
 * Extra labels that can be chosen from, where reports have them (TILLWATCH_DIMENSIONS). Without
 * them a variable has nothing to choose and stays at All, which also takes series that lack the
 * label.
 */
const LABELS = ['acquirer', 'merchant'] as const;
const CHOSEN = ['level="$level"', ...LABELS.map((label) => `${label}=~"$${label}"`)].join(', ');

/** A selector of the chosen level, and of what is chosen at it. */
export const select = (metric: string, matchers = ''): string =>
  `${metric}{${matchers}${matchers === '' ? '' : ', '}${CHOSEN}}`;

/**
 * The same of alerts. Those about the feed or Tillwatch carry no extra label and concern whatever
 * is chosen. An alert that says that another has got worse (escalation="worse") is no incident of
 * its own.
 */
const CHOSEN_OR_NONE = LABELS.map((label) => `${label}=~"$${label}|"`).join(', ');
export const firing = (matchers = 'alertname!="Watchdog"'): string =>
  `ALERTS{alertstate="firing", escalation="", ${matchers}, ${CHOSEN_OR_NONE}}`;

/** `auth_code` -> Auth code */
export const titled = (name: string): string => name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());

const ALL = { selected: true, text: 'All', value: '$__all' };

/** Values of a label, several at once, or all; all also takes series without the label. */
export const choice = (label: string, metric: string, description: string, title = titled(label)): Variable => ({
  name: label,
  label: title,
  description,
  type: 'query',
  datasource: DATASOURCE,
  query: { qryType: 1, query: `label_values(${metric}, ${label})`, refId: 'values' },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: ALL,
  options: [],
  hide: 0,
});

/** One value of a list. */
export const oneOf = (name: string, values: readonly string[], value: string, description: string): Variable => ({
  name,
  label: titled(name),
  description,
  type: 'custom',
  query: values.join(','),
  options: values.map((one) => ({ selected: one === value, text: one, value: one })),
  current: { selected: true, text: value, value },
  multi: false,
  includeAll: false,
  hide: 0,
});

const LEVEL_CHOICE: Variable = {
  ...choice(
    'level',
    RECORDED.perMinute,
    'The total, or the slices of one dimension, which are summed unless some are chosen.',
  ),
  multi: false,
  includeAll: false,
  current: { selected: true, text: TOTAL, value: TOTAL },
};

export const EXTRA_LABELS: Variable[] = LABELS.map((label, index) => {
  const before = LABELS.slice(0, index).map((other) => `${other}=~"$${other}"`);
  const metric = `transactions_total${before.length > 0 ? `{${before.join(', ')}}` : ''}`;
  return choice(label, metric, `At the level ${label}, where counters have that label.`);
});

const SOURCE: Variable = {
  name: 'datasource',
  label: 'Prometheus',
  description: 'The Prometheus that evaluates the rules.',
  type: 'datasource',
  query: 'prometheus',
  regex: '',
  refresh: 1,
  multi: false,
  includeAll: false,
  current: { selected: true, text: 'Prometheus', value: 'prometheus' },
  options: [],
  hide: 0,
};

const link = (title: string, url: string, tooltip: string): Link => ({
  title,
  url,
  tooltip,
  type: 'link',
  icon: 'external link',
  tags: [],
  asDropdown: false,
  includeVars: false,
  keepTime: false,
  targetBlank: true,
});

const LINKS: Link[] = [
  {
    ...link('Tillwatch', '', 'The other dashboards, at the same time and with the same choices'),
    type: 'dashboards',
    icon: 'dashboard',
    tags: ['tillwatch'],
    includeVars: true,
    keepTime: true,
    targetBlank: false,
  },
  link('Runbook', RUNBOOK, 'What each alert means and what to do'),
  link('Live page', LIVE_PAGE, 'State now, refreshed by itself'),
];

const ANNOTATIONS: CheckedDashboard['annotations']['list'] = [
  {
    name: 'Alerts',
    datasource: DATASOURCE,
    enable: true,
    hide: false,
    iconColor: 'red',
    target: {
      refId: 'Anno',
      datasource: DATASOURCE,
      editorMode: 'code',
      expr: `max by (alertname, status, auth_code, severity) (${firing()})`,
      instant: false,
      range: true,
      format: 'time_series',
      interval: '60s',
    },
    titleFormat: '{{alertname}}',
    textFormat: '{{status}}{{auth_code}}',
    tagKeys: 'severity',
  },
  {
    name: 'Changes',
    datasource: DATASOURCE,
    enable: true,
    hide: false,
    iconColor: 'purple',
    target: {
      refId: 'Anno',
      datasource: DATASOURCE,
      editorMode: 'code',
      // The value is the time of the change: each is drawn once, where it was made.
      expr: 'max by (text) (tillwatch_change_timestamp_seconds) * 1000',
      instant: false,
      range: true,
      format: 'time_series',
      interval: '60s',
    },
    titleFormat: '{{text}}',
    useValueForTime: true,
  },
  {
    name: 'Planned windows',
    datasource: DATASOURCE,
    enable: true,
    hide: false,
    iconColor: 'super-light-blue',
    target: {
      refId: 'Anno',
      datasource: DATASOURCE,
      editorMode: 'code',
      expr: 'max by (name) (tillwatch_calendar{kind="planned"})',
      instant: false,
      range: true,
      format: 'time_series',
      interval: '60s',
    },
    titleFormat: 'planned: {{name}}',
  },
];

/**
 * The address of the live page: `tillwatch_url` in prometheus.yml, which the alert that always
 * fires carries as a label. The links of messages have the same.
 */
const LIVE_PAGE_CHOICE: Variable = {
  ...choice('live_page', 'ALERTS{alertname="Watchdog"}', 'Where Tillwatch is, for links.', 'Live page'),
  sort: 0,
  multi: false,
  includeAll: false,
  current: { selected: true, text: SHIPPED_URL, value: SHIPPED_URL },
  hide: 2,
};

interface Content {
  uid: string;
  title: string;
  description: string;
  /** A time range that ends now, such as 6h; or `today`, the whole of it. */
  from: string;
  variables?: Variable[];
  panels: ReturnType<typeof layout>;
}

export const dashboard = ({ uid, title, description, from, variables = [], panels }: Content): CheckedDashboard => ({
  uid,
  title,
  description,
  tags: ['tillwatch'],
  schemaVersion: 42,
  version: 1,
  editable: true,
  // A crosshair at the same time in all panels.
  graphTooltip: 1,
  timezone: 'browser',
  refresh: '1m',
  time: from === 'today' ? { from: 'now/d', to: 'now/d' } : { from: `now-${from}`, to: 'now' },
  timepicker: {},
  fiscalYearStartMonth: 0,
  links: LINKS,
  annotations: { list: ANNOTATIONS },
  templating: { list: [SOURCE, LEVEL_CHOICE, ...EXTRA_LABELS, ...variables, LIVE_PAGE_CHOICE] },
  panels,
});
