import { extraLabels } from '../domain/labels.ts';
import { RECORDED, STATUSES, type Status, TOTAL } from '../domain/names.ts';
import type { Prometheus } from '../prometheus/client.ts';

export interface Span {
  labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; null while it goes on. */
  startsAt: number;
  endsAt: number | null;
}

const POINTS = 500;

/** Asks for every window that may page. One minute alone never pages. */
function queryOf(labels: Readonly<Record<string, string>>, step: number): string {
  const { status = '', level = TOTAL } = labels;
  const address = { status, level, ...extraLabels(labels) };
  const matchers = Object.entries(address).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  // Below normal, the lowest score is the worst.
  const worst = labels.status === 'approved' ? 'min' : 'max';
  return `${worst}(${worst}_over_time(${RECORDED.score}{window!="1m",${matchers.join(',')}}[${step}s]))`;
}

async function peakOf(prometheus: Prometheus, { labels, startsAt, endsAt }: Span): Promise<number | null> {
  if (!STATUSES.includes(labels.status as Status)) return null;
  const [from, to] = [Math.floor(startsAt / 1000), Math.floor((endsAt ?? Date.now()) / 1000)];
  const step = 60 * Math.max(1, Math.ceil((to - from) / 60 / POINTS));
  // The range has one step more, so that the last points are covered however the steps fall.
  const ranges = await prometheus.range(queryOf(labels, step), from, to + step, step);
  const scores = ranges.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  if (scores.length === 0) return null;
  return labels.status === 'approved' ? Math.min(...scores) : Math.max(...scores);
}

/**
 * The score at an incident's worst, in standard deviations, as the rules recorded it; null where
 * they record none, or Prometheus does not answer. Those of ended incidents are asked for once.
 */
export function createPeakScores(prometheus: Prometheus) {
  const known = new Map<string, number>();
  return async (incidents: readonly (Span & { id: string })[]): Promise<(number | null)[]> => {
    const peaks: (number | null)[] = [];
    let answers = true;
    // Incidents are asked for one after another, because a list of fifty must not take Prometheus
    // from the rules.
    for (const incident of incidents) {
      const before = known.get(incident.id);
      const peak = before ?? (answers ? await peakOf(prometheus, incident).catch(() => undefined) : null);
      if (peak === undefined) answers = false;
      if (typeof peak === 'number' && incident.endsAt !== null) known.set(incident.id, peak);
      peaks.push(peak ?? null);
    }
    return peaks;
  };
}
