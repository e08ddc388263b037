/**
 * Every metric, label and recorded series name that the program uses, once.
 * The YAML in prometheus/ uses the same names; test/rules.test.ts holds both to each other.
 */

/** Transaction outcomes, in the order in which people read them. */
export const STATUSES = [
  'approved',
  'denied',
  'failed',
  'reversed',
  'backend_reversed',
  'refunded',
  'processing',
] as const;
export type Status = (typeof STATUSES)[number];

/** Statuses that have a normal band above which they are judged. */
export const JUDGED_STATUSES = ['denied', 'failed', 'reversed', 'backend_reversed'] as const;
export type JudgedStatus = (typeof JUDGED_STATUSES)[number];

/** Counters and gauges that the service exposes. */
export const METRIC = {
  transactions: 'transactions_total',
  authCodes: 'transactions_by_auth_code_total',
  late: 'transactions_late_total',
  lastMinute: 'transactions_last_minute',
  lastReport: 'transactions_last_report_timestamp_seconds',
  reportDelay: 'transactions_report_delay_seconds',
  lastLateReport: 'transactions_last_late_report_timestamp_seconds',
  change: 'tillwatch_change_timestamp_seconds',
  utcOffset: 'tillwatch_utc_offset_seconds',
  calendar: 'tillwatch_calendar',
  mark: 'tillwatch_mark',
} as const;

/**
 * The label `level` of what is summed over all dimensions. Other levels are named after theirs:
 * acquirer, acquirer_brand.
 */
export const TOTAL = 'total';

/**
 * Labels by which prometheus/rules/transactions.rules.yml judges apart, beside those that reports
 * may carry.
 */
export const DIMENSIONS = ['acquirer', 'issuer', 'merchant', 'channel', 'brand', 'country'] as const;

/** Windows over which the rules judge; `1m` is what a single POST is compared with. */
export const WINDOWS = ['1m', '2m', '5m', '15m', '1h'] as const;
export type Window = (typeof WINDOWS)[number];

/** Series that the rules in prometheus/rules/ record and the service reads. */
export const RECORDED = {
  /**
   * Exact counts of the last minute by all dimensions together; no level. Labels: status or
   * auth_code, dimensions.
   */
  slices: 'slice:transactions:increase1m',
  /**
   * The same at each level, whether its slices are judged by minutes or not. Labels: status or
   * auth_code, level, and the level's dimensions.
   */
  levels: 'level:transactions:increase1m',
  /**
   * Exact count of the last minute. Labels of this and of what follows: status, level, and the
   * level's dimensions.
   */
  perMinute: 'status:transactions:increase1m',
  /**
   * Approved, in the minutes that had a report; where a report covers several minutes it is spread
   * over them.
   */
  reported: 'status:transactions:reported1m',
  /** How many minutes a report of the slowest feed covers. No labels. */
  reportMinutes: 'feeds:transactions:report_minutes',
  /** When the newest report came, seconds since 1970. Labels: feed, source. */
  lastReport: 'feed:transactions:last_report',
  /** How long a silence of the feed is still usual, in seconds. Labels: feed, source. */
  allowedSilence: 'feed:transactions:allowed_silence_seconds',
  /** Count in a window. Labels: window as well. */
  observed: 'status_window:transactions:increase',
  /** The same without its busiest minutes: what is held against `upper`. Label: window as well. */
  evidence: 'status_window:transactions:evidence',
  /** Baseline odds: this status per approved transaction at this time of day. */
  odds: 'status:transactions:odds',
  /**
   * Relative variance of the expected count: over-dispersion plus the baseline's own uncertainty.
   */
  relativeVariance: 'status:transactions:relative_variance',
  /**
   * The least that `upper` may be: the fewest events that count, and what this time of day peaks at
   * on other days.
   */
  floor: 'status_window:transactions:floor',
  expected: 'status_window:transactions:expected',
  upper: 'status_window:transactions:upper',
  /**
   * The part of a window that is evidence, and so compared with `upper`: all but its busiest
   * minutes, or reports of a slow feed. Label: window.
   */
  evidenceShare: 'window:transactions:evidence_share',
  lower: 'status_window:transactions:lower',
  /** Distance from expected in standard deviations. */
  score: 'status_window:transactions:score',
  /**
   * 1 for two weeks after a blip of two minutes: to the 2-minute window such a status must be bad
   * for three.
   */
  blips: 'status:transactions:blip14d',
  /** -2 falling a lot, -1 falling, 0 stable, 1 rising, 2 rising a lot. */
  trend: 'status:transactions:trend',
  /** Approved a minute that is usual at this time, before today's own level. */
  usualDay: 'status:transactions:usual_day1m',
  /** Times the usual volume, where the calendar says so. No labels. */
  volumeFactor: 'tillwatch:volume:factor',
  /** 1 while there are less than three days of history, else 0. No labels. */
  learning: 'transactions:baseline:learning',
} as const;

/** Recorded series of slices. Labels: level, and the level's dimensions. */
export const SLICE_RECORDED = {
  /**
   * Approved a minute in the busiest hour of the last seven days. It decides whether a slice is
   * judged by minutes, by the hour, or not at all.
   */
  busiest: 'slice:transactions:busiest1h',
  /** Expected in the last hour, for slices that are judged by the hour. Label: status as well. */
  expected: 'slice:transactions:expected1h',
} as const;

/** The same of auth codes, in the last five minutes. Labels: auth_code, extra. */
export const AUTH_CODE_RECORDED = {
  observed: 'auth_code:transactions:increase5m',
  expected: 'auth_code:transactions:expected5m',
} as const;

/** The first estimate, by which `processing` is judged. */
export const ROUGH_RECORDED = { expected: 'status:transactions:rough_expected5m' } as const;

/**
 * Tunables, recorded as constants so that the service and the graphs read the same numbers as the
 * rules.
 */
export const TUNABLE = {
  /** Sensitivity: standard deviations of counting noise. Label: window. */
  z: 'tillwatch:z:tunable',
  /** Fewest events that may count as evidence. Label: window. */
  minEvents: 'tillwatch:min_events:tunable',
  /** A status that blips must be above this many standard deviations in minutes in a row. */
  blipScore: 'tillwatch:blip_score:tunable',
  /** The most that over-dispersion may widen a band: standard deviations of its logarithm. */
  tailZ: 'tillwatch:tail_z:tunable',
  /** Standard deviations of over-dispersion (7; its square is the 49 of the band formula). */
  noiseZ: 'tillwatch:noise_z:tunable',
  /**
   * A slice is judged by minutes, or by the hour, from so many approved a minute in its busiest
   * hour.
   */
  judgedByMinutes: 'tillwatch:judged_by_minutes:tunable',
  judgedByHour: 'tillwatch:judged_by_hour:tunable',
  /** Trend arrows: standard deviations to rising or falling, and to rising or falling a lot. */
  trendStep: 'tillwatch:trend_step:tunable',
  trendLeap: 'tillwatch:trend_leap:tunable',
  /** A silence of so many seconds is usual for any feed. */
  silence: 'tillwatch:silence_seconds:tunable',
  /**
   * Relative standard deviation of over-dispersion before anything is learned, and the least and
   * most that may be.
   */
  dispersionPrior: 'tillwatch:dispersion_prior:tunable',
  dispersionMin: 'tillwatch:dispersion_min:tunable',
  dispersionMax: 'tillwatch:dispersion_max:tunable',
} as const;

/** Percentiles that statistics of hours have. */
export const PERCENTILES = [5, 25, 50, 75, 95, 99] as const;
