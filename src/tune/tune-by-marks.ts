import { type Incident, isOfTransactions } from '../alerting/incidents.ts';
import { labelledTime, labelOf } from '../alerting/label-of-incident.ts';
import type { BacktestAlert } from '../backtest/run.ts';
import { type Label, type Score, type Scored, scoreAlerts } from '../backtest/score.ts';
import type { CalendarAt } from '../calendar/series.ts';
import { plural } from '../domain/plural.ts';
import type { Labels } from '../domain/series-text.ts';
import type { Prometheus } from '../prometheus/client.ts';
import type { Rules } from '../prometheus/rule-files.ts';
import { isBetter } from './better.ts';
import { type Compared, changesBetween, DAY, FIRST_HOURS, LEARNED_DAYS, type Plan, playRecorded } from './played.ts';
import { narrowed, type RecordedHistory, readRecorded } from './recorded-history.ts';
import { MOST_TRIALS, namedFactors, search, type Trial } from './search.ts';
import { affected, CannotTry, type Multiplied, multipliedRules, ownRules, tunableRules } from './tunable-rules.ts';
import { findTunables, type TunablesFile } from './tunables-file.ts';
import { type Factors, lineDiff, multiplied } from './tunables-text.ts';

/** Marks of so many days are taken. */
export const MARKED_DAYS = 14;
/** Fewer marks say nothing. */
export const FEWEST_MARKS = 3;
/** Seconds that are played before the first mark. */
const BEFORE_FIRST = 3600;

export interface TuneOptions {
  prometheus: Prometheus;
  /** Incidents of the last days, marked or not. */
  incidents: readonly Incident[];
  /** Absent where there is no calendar and no mark. */
  calendar: CalendarAt | undefined;
  /** What is about to be played. */
  onPlan: (plan: TunePlan) => void;
  /** `share` in [0, 1]. */
  onProgress: (share: number, what: string) => void;
  signal: AbortSignal;
}

export interface TunePlan extends Plan {
  marks: Marks;
  /** Slices that the search plays; the proposal is checked with all of them. */
  searched: number;
}

export interface Marks {
  /** Marked as real. */
  incidents: number;
  /** Marked as expected or a false alarm. */
  others: number;
}

export interface Tuned extends TunePlan {
  /** What was tried, the rules as they are among it. */
  trials: number;
  before: Score;
  /** Absent where nothing does better. */
  proposal?: {
    after: Score;
    tunables: Multiplied[];
    /** The alerts in order of time. */
    alerts: Compared[];
    /** Absent where the tunables stand otherwise than in the shipped file. */
    change?: Pick<TunablesFile, 'path' | 'isHere'> & { diff: string };
  };
  /** The number of series, where they were too many and only the total was judged. */
  summed?: number;
}

interface Tried extends Trial {
  alerts: BacktestAlert[];
  scored: Scored<BacktestAlert>;
}

/** What the search works on. */
interface Ground {
  /** The rules in force, and the names of their sensitivities. */
  rules: Rules;
  names: ReadonlySet<string>;
  /** Absent where the tunables stand otherwise than in the shipped file. */
  file: TunablesFile | undefined;
  /** Incidents of these alerts, marked or not. */
  told: readonly Incident[];
  history: RecordedHistory;
  /** The same with the marked slices alone. */
  some: RecordedHistory;
  plan: TunePlan;
}

/**
 * Looks for sensitivities by which the rules that Prometheus evaluates would have done better at
 * what people marked. Nothing is changed.
 * @throws CannotTry, PrometheusError, or the signal's reason
 */
export async function tuneByMarks(options: TuneOptions): Promise<Tuned> {
  options.onProgress(0, 'reading what was counted');
  const ground = await groundOf(options);
  const { rules, file, plan, history, some } = ground;
  options.onPlan(plan);
  const play = createPlayer(ground, options);
  let trials = 0;
  const trial = (factors: Factors, most: number) => play(some, factors, `try ${++trials} of at most ${most}`, most);
  const first = await trial({}, MOST_TRIALS);
  const judged = judgeBy(ground, first.alerts);
  const inForce = judged(first);
  const found = await search(inForce, async (factors, most) => judged(await trial(factors, most)));
  const isWhole = some.slices.length === history.slices.length;
  const [now, best] =
    isWhole || found === inForce ? [inForce, found] : await withAllSlices(ground, play, trials, found.factors);
  return {
    ...plan,
    trials,
    before: now.scored.score,
    ...(isBetter(best.scored.score, now.scored.score) && {
      proposal: {
        after: best.scored.score,
        tunables: multipliedRules(rules, best.factors).tunables,
        alerts: changesBetween(now.alerts, best.alerts),
        ...(file !== undefined && { change: changeOf(file, best.factors) }),
      },
    }),
    ...(history.summed !== undefined && { summed: history.summed }),
  };
}

async function groundOf({ prometheus, incidents, signal }: TuneOptions): Promise<Ground> {
  const rules = ownRules(await prometheus.rules());
  const tunables = tunableRules(rules);
  const names = new Set(tunables.map(({ record }) => record));
  const file = await findTunables(tunables);
  const alertnames = new Set(affected(rules, names).alerts.map(({ alert }) => alert));
  const told = incidents.filter((one) => isOfTransactions(one) && alertnames.has(one.alertname));
  const { history, from, marked } = await historyOf(prometheus, told, signal);
  const some = narrowed(history, (slice) => marked.some(({ labels }) => isAbout(labels, slice)));
  const plan = {
    from,
    to: history.to,
    learnedFrom: history.from,
    slices: history.slices.length,
    marks: countOf(marked),
    searched: some.slices.length,
  };
  return { rules, names, file, told, history, some, plan };
}

type Play = (
  of: RecordedHistory,
  factors: Factors,
  what: string,
  trials: number,
) => Promise<Pick<Tried, 'factors' | 'alerts'>>;

/** Plays one choice after the other, and tells how far all of them are. */
function createPlayer({ rules, names, history, some, plan }: Ground, options: TuneOptions): Play {
  const { calendar, onProgress, signal } = options;
  // All slices take as much longer as there are more of them. They are played twice.
  const longer = (1 + history.slices.length) / (1 + some.slices.length);
  const checks = longer > 1 ? 2 * longer : 0;
  let done = 0;
  return async (of, factors, what, trials) => {
    const weight = of === some ? 1 : longer;
    const alerts = await playRecorded({
      history: of,
      rules: affected(multipliedRules(rules, factors).changed, names),
      calendar,
      from: plan.from,
      onProgress: (share, rule) =>
        onProgress((done + share * weight) / (trials + checks), `${what}, ${namedFactors(factors)}: ${rule}`),
      signal,
    });
    done += weight;
    return { factors, alerts };
  };
}

/** @returns the rules as they are, and what does best in the search */
async function withAllSlices(ground: Ground, play: Play, trials: number, factors: Factors): Promise<[Tried, Tried]> {
  const check = (tried: Factors) => play(ground.history, tried, 'check with all slices', trials);
  const now = await check({});
  const judged = judgeBy(ground, now.alerts);
  return [judged(now), judged(await check(factors))];
}

/** Scores by what people said. @param base the alerts that the rules as they are bring */
function judgeBy({ told, plan }: Ground, base: readonly BacktestAlert[]) {
  const labels = labelsOf(told, base, plan.to);
  return (played: Pick<Tried, 'factors' | 'alerts'>): Tried => ({
    ...played,
    scored: scoreAlerts(played.alerts, labels, { from: plan.from, to: plan.to }),
  });
}

const changeOf = ({ path, text, isHere }: TunablesFile, factors: Factors) => ({
  path,
  isHere,
  diff: lineDiff(path, text, multiplied(text, factors)),
});

/** The counts from two weeks before the first mark on, and the marks that lie in them. */
async function historyOf(prometheus: Prometheus, told: readonly Incident[], signal: AbortSignal) {
  const now = Math.floor(Date.now() / 60_000) * 60;
  const since = (time: number) =>
    told.filter(({ mark, startsAt, endsAt }) => mark !== null && labelledTime(startsAt, endsAt).start >= time);
  const firstOf = (marked: readonly Incident[]) =>
    Math.min(...marked.map(({ startsAt, endsAt }) => labelledTime(startsAt, endsAt).start)) - BEFORE_FIRST;
  const recent = since(now - MARKED_DAYS * DAY);
  refuseTooFew(recent, `of the last ${MARKED_DAYS} days`);
  const history = await readRecorded(prometheus, firstOf(recent) - LEARNED_DAYS * DAY, now, signal);
  const marked = since(history.from + FIRST_HOURS);
  refuseTooFew(marked, 'of the time that Prometheus has counts of, its first six hours aside,');
  return { history, marked, from: Math.max(firstOf(marked), history.from + FIRST_HOURS) };
}

function refuseTooFew(marked: readonly Incident[], when: string): void {
  const { incidents } = countOf(marked);
  if (marked.length >= FEWEST_MARKS && incidents > 0) return;
  const alerts = marked.length === 0 ? 'no alert' : plural(marked.length, 'alert');
  const real = marked.length === 0 ? '' : `, ${incidents === 0 ? 'none' : incidents} as a real incident`;
  throw new CannotTry(
    `too few marks: ${alerts} ${when} ${marked.length > 1 ? 'are' : 'is'} marked${real}. ` +
      `It takes ${FEWEST_MARKS}, a real incident among them. Mark more alerts under Incidents, then try again. ` +
      'Marks of feeds and auth codes do not count: no sensitivity bears on them',
  );
}

function countOf(marked: readonly Incident[]): Marks {
  const incidents = marked.filter(({ mark }) => mark?.verdict === 'incident').length;
  return { incidents, others: marked.length - incidents };
}

/** True where an alert with these labels is about a slice. */
function isAbout(labels: Labels, slice: Labels): boolean {
  const shared = Object.keys(slice).filter((name) => labels[name] !== undefined);
  return shared.length > 0 && shared.every((name) => labels[name] === slice[name]);
}

/**
 * What people said, and the alerts of which nobody said anything: those that were told, and those
 * that the rules as they are bring.
 */
function labelsOf(told: readonly Incident[], base: readonly BacktestAlert[], to: number): Label[] {
  const played = base.map(({ startsAt, endsAt }) => ({
    ...labelledTime(startsAt * 1000, (endsAt ?? to) * 1000),
    signals: [],
  }));
  return [...told.map(labelOf), ...played].map((label) => ({ ...label, note: '' }));
}
