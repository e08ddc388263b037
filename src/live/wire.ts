/**
 * The service's answers to the page, as the schemas in src/http/routes/ say them. Times are ISO
 * 8601.
 */

import type { Status } from '../domain/names.ts';

export { STATUSES } from '../domain/names.ts';
export type { Forecast, Statistics } from '../http/hours-answers.ts';
export type { TuneAnswer, TuneLine } from '../http/tune-answers.ts';
export type { UnderWay, WhatIfAnswer, WhatIfLine } from '../http/what-if-answers.ts';
export type { Status };

export type Recommendation = 'ok' | 'watch' | 'alert' | 'unknown';
export type Trend = 'falling a lot' | 'falling' | 'stable' | 'rising' | 'rising a lot';
export type Labels = Record<string, string>;

export interface Band {
  observed?: number;
  expected?: number;
  lower?: number;
  upper?: number;
  score?: number;
}

export interface Anomaly {
  status: Status;
  labels: Labels;
  lastMinute: Band;
  lastMinutes: Band;
  lastHour: Band;
  trend?: Trend;
  recommendation: Recommendation;
  reason?: string;
  firing: string[];
}

export interface Alert {
  labels: Labels;
  annotations: Labels;
  state: string;
  activeAt?: string;
  value: string;
  incidentId?: string;
}

export interface PathPart {
  ok: boolean;
  /** Not known yet, soon after a start. */
  awaited?: boolean;
  reason?: string;
}

export interface DemoKind {
  kind: string;
  title: string;
  does: string;
}

export interface RunningIncident {
  kind: string;
  since: string;
  until: string;
}

export interface State {
  /** The calendar's words for now; absent on an ordinary day. */
  calendar?: string | undefined;
  /** The planned window of all traffic that is on. */
  planned?: string | undefined;
  time: string;
  demo: null | { kinds: DemoKind[]; running: RunningIncident[] };
  baseline: { state: 'ready' | 'warming-up' | 'unavailable'; asOf?: string; reason?: string; learning?: boolean };
  verdict: { recommendation: Recommendation; reason: string; untold?: string };
  definitions?: { trend: string; score: string };
  anomalies: Anomaly[];
  /** What was known last, while nothing is judged. */
  lastKnown?: { at: string; anomalies: Anomaly[] };
  alerts: Alert[];
  path: {
    prometheus: PathPart & { evaluatedAt?: string };
    alertmanager: PathPart;
    watchdog: PathPart & { arrivedAt?: string };
  };
}

export interface Report {
  timestamp: string;
  receivedAt: string;
  source?: string;
  labels?: Labels;
  counts: Partial<Record<Status, number>>;
  authCodes: Record<string, number>;
  late: boolean;
  /** It raised counts that were recorded before. */
  correction?: boolean;
  /** The recommendation that its sender got, where the service says so. */
  recommendation?: Recommendation;
}

export interface NotifiedAlert {
  status: 'firing' | 'resolved';
  labels: Labels;
  annotations: Labels;
  startsAt: string;
  endsAt: string;
}

export interface JournalEntry {
  receivedAt: string;
  status: 'firing' | 'resolved';
  receiver: string;
  groupLabels: Labels;
  commonLabels: Labels;
  commonAnnotations: Labels;
  alerts: NotifiedAlert[];
}

export type MarkVerdict = 'incident' | 'expected' | 'false-alarm';

export interface Incident {
  id: string;
  alertname: string;
  severity: string;
  labels: Labels;
  summary: string;
  startsAt: string;
  endsAt: string | null;
  seconds: number;
  peakScore: number | null;
  mark: null | { verdict: MarkVerdict; by: string; comment: string; at: string };
  acknowledgement: null | { by: string; comment: string; at: string };
}

export interface Silence {
  id: string;
  state: 'active' | 'pending';
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

export interface Change {
  at: string;
  text: string;
  by: string;
}

export interface SeriesPoint extends Band {
  time: string;
}

export interface Series {
  status: Status;
  /** The PromQL behind it. */
  query: string;
  step: number;
  /** Minutes that a report of the slowest feed covers. */
  reportMinutes: number;
  /** Windows of the calendar in which nothing is judged. */
  planned: Planned[];
  series: { labels: Labels; points: SeriesPoint[] }[];
}

export interface Planned {
  name: string;
  from: string;
  to: string;
}

export interface RankedSlice {
  level: string;
  labels: Labels;
  observed: number;
  expected: number | null;
  excess: number | null;
  share: number | null;
  judged: 'minutes' | 'hour' | 'no';
  reason: string;
}

export interface SliceRanking {
  total: { observed: number; expected: number | null; excess: number | null };
  levels: { level: string; slices: number; says: string }[];
  slices: RankedSlice[];
}

export interface ComparedHour {
  hour: number;
  today: number | null;
  yesterday: number | null;
  sameDayLastWeek: number | null;
  average7d: number | null;
  average28d: number | null;
  far: 'above' | 'below' | null;
}

export interface Comparison {
  timezone: string;
  status: string;
  day: string;
  definition: string;
  hours: ComparedHour[];
}

export interface AuthCode {
  code: string;
  meaning: string;
  labels: Labels;
  observed: number;
  expected: number | null;
  share: number | null;
  usualShare: number | null;
  firing: boolean;
}

export interface Rule {
  name: string;
  type: 'recording' | 'alerting';
  query: string;
  for?: number;
  keepFiringFor?: number;
  health: string;
  lastError?: string;
  labels: Labels;
  annotations: Labels;
}

export interface Threshold {
  status: string;
  window: string;
  evidence: number | null;
  expected: number | null;
  lower: number | null;
  upper: number | null;
  pages: boolean;
}

export interface RuleGroup {
  name: string;
  file: string;
  evaluatedAt: string;
  seconds: number;
  rules: Rule[];
}
