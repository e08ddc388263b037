import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { MARK_LABELS } from '../calendar/marks.ts';
import { type CalendarSample, SAMPLE_LABELS } from '../calendar/series.ts';
import { METRIC } from '../domain/names.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** The service's own health, for the same Prometheus. */
export interface Health {
  registry: Registry;
  /** Reports so far, by what became of them. */
  reports: Record<ReportResult, number>;
  requests: Histogram<'method' | 'route' | 'code'>;
  folded: Counter;
  notifications: Counter<'status'>;
  streams: Gauge;
  /** Seconds since the epoch; 0 before the first. */
  watchdog: Gauge;
}

/** These gauges have names of counters, which `promtool check metrics` refuses. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];

/** Each change is a series, so that only as many are exposed as people compare. */
const NEWEST_CHANGES = 5;
const DAY_MS = 86_400_000;

const REPORT_RESULTS = ['accepted', 'duplicate', 'late', 'refused', 'failed'] as const;
export type ReportResult = (typeof REPORT_RESULTS)[number];

/**
 * Registers the metrics of the service itself; those of the transactions come out of the ledger.
 */
export function createHealth(
  version: string,
  baselineAge: () => number,
  ledger: Pick<Ledger, 'failure' | 'takeCommitTimes' | 'changes'>,
  calendar: () => readonly CalendarSample[],
  marks: () => Promise<readonly CalendarSample[]>,
): Health {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  new Gauge({
    name: 'tillwatch_build_info',
    help: 'Version of the running program; always 1.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.versions.node }, 1);
  new Gauge({
    name: 'tillwatch_baseline_age_seconds',
    help: 'Time since the rules were evaluated, as last read from Prometheus; NaN while there is no baseline.',
    registers,
    collect() {
      this.set(baselineAge());
    },
  });
  new Gauge({
    name: 'tillwatch_ledger_failing',
    help: '1 while the ledger cannot commit, so that reports are refused, else 0.',
    registers,
    collect() {
      this.set(ledger.failure() === undefined ? 0 : 1);
    },
  });
  new Histogram({
    name: 'tillwatch_ledger_commit_duration_seconds',
    help: 'Time to commit a batch of reports.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
    collect() {
      for (const seconds of ledger.takeCommitTimes()) this.observe(seconds);
    },
  });
  new Gauge({
    name: METRIC.change,
    help: `When something was changed, as people said: the newest ${NEWEST_CHANGES} of the last day.`,
    labelNames: ['text'] as const,
    registers,
    async collect() {
      const to = Date.now();
      const newest = await ledger.changes({ from: to - DAY_MS, to, limit: NEWEST_CHANGES });
      this.reset();
      for (const { text, at } of newest.reverse()) this.set({ text }, at / 1000);
    },
  });
  new Gauge({
    name: METRIC.utcOffset,
    help: 'Seconds that local time is ahead of UTC, by --timezone.',
    registers,
    collect() {
      for (const { metric, value } of calendar()) if (metric === METRIC.utcOffset) this.set(value);
    },
  });
  new Gauge({
    name: METRIC.calendar,
    help: 'What the calendar says of now, by kind; nothing on an ordinary day.',
    labelNames: SAMPLE_LABELS,
    registers,
    collect() {
      this.reset();
      for (const { metric, labels, value } of calendar()) if (metric === METRIC.calendar) this.set(labels, value);
    },
  });
  new Gauge({
    name: METRIC.mark,
    help: 'Days ago on which this time of day is marked as an incident, as expected or as a false alarm.',
    labelNames: MARK_LABELS,
    registers,
    async collect() {
      const samples = await marks();
      this.reset();
      for (const { labels, value } of samples) this.set(labels, value);
    },
  });
  const reports: Health['reports'] = { accepted: 0, duplicate: 0, late: 0, refused: 0, failed: 0 };
  new Counter({
    name: 'tillwatch_reports_total',
    help: 'Reports by what became of them.',
    labelNames: ['result'] as const,
    registers,
    collect() {
      this.reset();
      for (const result of REPORT_RESULTS) this.inc({ result }, reports[result]);
    },
  });
  const notifications = new Counter({
    name: 'tillwatch_notifications_total',
    help: 'Notifications received from Alertmanager.',
    labelNames: ['status'] as const,
    registers,
  });
  for (const status of ['firing', 'resolved']) notifications.inc({ status }, 0);
  return {
    registry,
    reports,
    notifications,
    streams: new Gauge({
      name: 'tillwatch_event_streams',
      help: 'Streams of GET /api/v1/events that are open.',
      registers,
    }),
    watchdog: new Gauge({
      name: 'tillwatch_watchdog_last_received_timestamp_seconds',
      help: 'When the alert that always fires arrived through Alertmanager for the last time; 0 before the first.',
      registers,
    }),
    requests: new Histogram({
      name: 'tillwatch_http_request_duration_seconds',
      help: 'Time to answer a request.',
      labelNames: ['method', 'route', 'code'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    folded: new Counter({
      name: 'tillwatch_label_values_folded_total',
      help: 'Reports whose label values became "other" because the cap on series was reached.',
      registers,
    }),
  };
}
