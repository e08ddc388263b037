import { get } from './api.ts';
import { keyOf } from './model.ts';
import type { Band, Labels, Series, State, Status } from './wire.ts';

/** One minute of one status. `time` in seconds since the epoch. */
export interface Minute extends Band {
  time: number;
}

const SPAN_SECONDS = 3600;
/** Two evaluations missed: what lies between is fetched instead of drawn as a straight line. */
const GAP_SECONDS = 150;

/** Seconds between points that a line bridges: one may be missing. Between two reports of a slow feed is no gap. */
export const bridgedSeconds = ({ step, reportMinutes }: Pick<Series, 'step' | 'reportMinutes'>): number =>
  2.5 * Math.max(step, 60 * reportMinutes);

const place = (status: Status, labels: Labels): string => `${status} ${keyOf(labels)}`;

export const minutesOf = (points: Series['series'][number]['points']): Minute[] =>
  points.map(({ time, ...band }) => ({ time: Date.parse(time) / 1000, ...band }));

export const evaluatedAt = ({ path, baseline, time }: State): number =>
  Math.floor(Date.parse(path.prometheus.evaluatedAt ?? baseline.asOf ?? time) / 1000);

/** The path of one slice's series, or of the total's where there are no labels. */
export const seriesPath = (status: Status, from: number, labels: Labels): string => {
  const which = Object.keys(labels).length === 0 ? { level: 'total' } : labels;
  return `series?${new URLSearchParams({ status, from: String(from), ...which })}`;
};

/** The last hour of every status: fetched once, then grown by each new state. */
export interface Recent {
  of(status: Status, labels: Labels): readonly Minute[];
  /** Points that are further apart than this have a gap between them, seconds. */
  readonly bridged: number;
  /** A report covers several minutes. */
  readonly isSlow: boolean;
  /** @param charted the status whose minutes the chart reads anyway: it is seeded by that */
  take(state: State, charted: Status, labels: Labels): void;
  /** Minutes that the chart has read. */
  seed(read: Series): void;
}

export function createRecent(changed: () => void): Recent {
  const minutes = new Map<string, Minute[]>();
  const loading = new Set<Status>();
  let newest = 0;
  let bridged = GAP_SECONDS;
  let silent = false;
  const isSlow = () => bridged > GAP_SECONDS;

  async function load(status: Status, labels: Labels): Promise<void> {
    if (loading.has(status)) return;
    loading.add(status);
    const from = Math.floor(Date.now() / 1000) - SPAN_SECONDS;
    const answer = await get<Series>(seriesPath(status, from, labels)).catch(() => undefined);
    loading.delete(status);
    if (answer === undefined) changed();
    else seed(answer);
  }

  function seed({ status, series, ...read }: Series): void {
    bridged = bridgedSeconds(read);
    const since = Date.now() / 1000 - SPAN_SECONDS;
    for (const { labels, points } of series)
      minutes.set(
        place(status, labels),
        minutesOf(points).filter(({ time }) => time >= since),
      );
    changed();
  }

  function grow({ anomalies }: State, time: number): void {
    for (const { status, labels, lastMinute } of anomalies) {
      const known = minutes.get(place(status, labels));
      if (known === undefined || time - (known.at(-1)?.time ?? 0) < 45) continue;
      known.push({ time, ...lastMinute });
      while ((known[0]?.time ?? time) < time - SPAN_SECONDS) known.shift();
    }
  }

  return {
    get bridged() {
      return bridged;
    },
    get isSlow() {
      return isSlow();
    },
    of: (status, labels) => minutes.get(place(status, labels)) ?? [],
    seed,
    take(state, charted, chosen) {
      const time = evaluatedAt(state);
      const shown = state.anomalies.filter(({ labels }) => keyOf(labels) === keyOf(chosen));
      const unknown = shown.filter(({ status, labels }) => {
        const chartMayBring = status === charted && newest === 0;
        return !chartMayBring && !minutes.has(place(status, labels));
      });
      // A minute may turn out to be none: between two reports, and at the start of a silence.
      const wasSilent = silent;
      silent = shown.some(({ lastMinute }) => lastMinute.observed === undefined);
      const stale = time - newest > GAP_SECONDS || (isSlow() && time > newest) || (silent && !wasSilent);
      const behind = newest > 0 && stale ? shown : unknown;
      for (const status of new Set(behind.map((anomaly) => anomaly.status))) void load(status, chosen);
      grow(state, time);
      newest = Math.max(newest, time);
    },
  };
}
