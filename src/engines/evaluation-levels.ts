import { durationText } from '../domain/durations.ts';
import { callsIn, type Matcher, replaceSpans, type Selector, type Span, selectorsIn } from '../prometheus/promql.ts';
import { intervalOf, isRecording, type RecordingRule, type RuleGroup } from './rule-source.ts';

/**
 * Groups for an engine where the result of a rule becomes visible only some seconds after its
 * evaluation.
 *
 * Prometheus evaluates a group at one time T, and each rule sees what those before it recorded.
 * Here a group becomes levels that are evaluated one after the other. A rule whose level has the
 * lag L runs at T + L and asks for everything as of T, by offsets. So each rule gives the value
 * that it has in Prometheus.
 */

/** Seconds after which what was recorded or scraped is visible, for sure. */
const VISIBLE_AFTER = 5;
/**
 * Lag of the first level: a sample that was scraped at T comes by way of the scraper, and may take
 * a little longer.
 */
const FIRST_LAG = 10;
/** Seconds into the minute at which T is: the reports about the minute before have come by then. */
const MINUTE_OFFSET = 10;
export const MINUTE = 60;
/** A rule that is read in so few places stands in them, instead of in a level of its own. */
const FEW = 3;
/**
 * Characters of an expression that may stand in others. VictoriaMetrics takes queries of 16 KiB.
 */
const SHORT = 2000;

/** Rules that share one T. */
interface Chain {
  name: string;
  /** Seconds. */
  interval: number;
  rules: RecordingRule[];
  /** Names of the series that the source records more often. */
  slowed: Set<string>;
}

/** The delay that the levels have added to a recorded series. */
export interface Recorded {
  /** Seconds from the time that a sample is about to its timestamp. */
  lag: number;
  /** Seconds by which its samples are further apart than in the source. */
  slower: number;
}

export interface Levels {
  groups: RuleGroup[];
  recorded: ReadonlyMap<string, Recorded>;
}

/** An expression that gives of another one's series those that match. */
export type Select = (expression: string, matchers: readonly Matcher[]) => string;

const lagOf = (level: number): number => FIRST_LAG + VISIBLE_AFTER * level;
const isConstant = (expr: string): boolean => selectorsIn(expr).length === 0;

/** Splits the recording rules of all groups, which must not read each other in a circle. */
export function splitIntoLevels(groups: readonly RuleGroup[], select: Select): Levels {
  const rules = groups.flatMap((group) => group.rules);
  const alerts = rules.filter((rule) => !isRecording(rule));
  const told = new Set(alerts.flatMap(({ expr }) => selectorsIn(expr).map(({ name }) => name)));
  const chains = chainsOf(groups);
  const leveled = chains.map((chain) =>
    withToldLast(
      levelsOf(withFewReadInlined(chain, rules.filter(isRecording), select)),
      (name) => told.has(name) && chain.slowed.has(name),
    ),
  );
  const recorded = new Map<string, Recorded>();
  for (const [index, levels] of leveled.entries()) {
    for (const [name, lag] of lagsOf(levels)) {
      recorded.set(name, { lag, slower: chains[index]?.slowed.has(name) ? MINUTE : 0 });
    }
  }
  return {
    groups: chains.flatMap((chain, index) => groupsOf(chain, leveled[index] ?? [], recorded, index)),
    recorded,
  };
}

/**
 * Makes chains of groups. A group that runs more often than its levels allow joins the chain that
 * it reads, between whose evaluations nothing changes.
 */
function chainsOf(groups: readonly RuleGroup[]): Chain[] {
  const own = groups
    .map((group) => ({
      name: group.name,
      interval: intervalOf(group),
      rules: group.rules.filter(isRecording),
      slowed: new Set<string>(),
    }))
    .filter(({ rules }) => rules.length > 0);
  const chains: Chain[] = own.filter((chain) => !isTooFast(chain));
  for (const fast of own.filter(isTooFast)) {
    const slowed = fast.rules.map(({ record }) => record);
    const home = chains.find((chain) => chain.rules.some((rule) => isReadBy(rule, fast)));
    if (home) home.rules.push(...fast.rules);
    else chains.push({ ...fast, interval: MINUTE });
    for (const name of slowed) (home ?? (chains.at(-1) as Chain)).slowed.add(name);
  }
  return chains;
}

const isTooFast = ({ interval, rules }: Chain): boolean =>
  interval < MINUTE && lagOf(levelsOf(rules).length - 1) > interval;

const isReadBy = ({ record, expr }: RecordingRule, reader: Chain): boolean =>
  !isConstant(expr) && reader.rules.some((rule) => selectorsIn(rule.expr).some(({ name }) => name === record));

/** True where the selector may read the sample of the same T. */
const readsNow = ({ age }: Selector): boolean => age < MINUTE;

/** Rules by level: each reads of its own T only what lower levels record. */
function levelsOf(rules: readonly RecordingRule[]): RecordingRule[][] {
  const known = new Map<string, number>();
  const levelOf = (rule: RecordingRule): number => {
    const below = selectorsIn(rule.expr).filter(readsNow);
    return Math.max(-1, ...below.map(({ name }) => (typeof name === 'string' ? levelOfName(name) : -1))) + 1;
  };
  const levelOfName = (name: string): number => {
    const level = known.get(name) ?? Math.max(-1, ...rules.filter(({ record }) => record === name).map(levelOf));
    known.set(name, level);
    return level;
  };
  const levels: RecordingRule[][] = [];
  for (const rule of rules) {
    const level = levelOf(rule);
    levels[level] = [...(levels[level] ?? []), rule];
  }
  return levels;
}

/**
 * The series that alerts read of a group that has joined come last, since messages read the
 * others.
 */
function withToldLast(levels: RecordingRule[][], isTold: (name: string) => boolean): RecordingRule[][] {
  const told = levels.flat().filter(({ record }) => isTold(record));
  const others = levels.map((rules) => rules.filter(({ record }) => !isTold(record)));
  return told.length === 0 ? levels : [...others, told];
}

const lagsOf = (levels: readonly RecordingRule[][]): Map<string, number> =>
  new Map(levels.flatMap((rules, level) => rules.map(({ record }) => [record, lagOf(level)] as const)));

/** Functions that give the one sample of a short range as it is. */
const ONE_OF_RANGE = /^(last|sum|max|min|avg)_over_time$/;

/**
 * True where the selector reads the value of its T and nothing else, so that an expression may
 * stand in its place.
 */
const isPlain = (selector: Selector): boolean =>
  selector.age === 0 &&
  !selector.inSubquery &&
  (selector.range === undefined
    ? selector.call?.name !== 'timestamp'
    : selector.range <= MINUTE && ONE_OF_RANGE.test(selector.call?.name ?? ''));

/**
 * The chain's rules with expressions in place of what is read in few places only, or comes from a
 * group that has joined (that is cheap, or it would not run so often). Each level less is some
 * seconds less until an alert.
 */
function withFewReadInlined(chain: Chain, recorders: readonly RecordingRule[], select: Select): RecordingRule[] {
  const reads = chain.rules.flatMap(({ expr }) => selectorsIn(expr).filter(readsNow));
  // Where alerts wait for the chain, also what is so short that all of its copies are.
  const isCheap = ({ record, expr }: RecordingRule) => {
    const { length } = reads.filter(({ name }) => name === record);
    return length <= FEW || (chain.slowed.size > 0 && length * expr.length <= SHORT);
  };
  const mayInline = (rule: RecordingRule) =>
    rule.labels === undefined &&
    recorders.filter(({ record }) => record === rule.record).length === 1 &&
    (chain.slowed.has(rule.record) || isCheap(rule));
  const inlinable = new Map<string, string>();
  return levelsOf(chain.rules)
    .flat()
    .map((rule) => {
      const selectors = selectorsIn(rule.expr).filter(readsNow);
      const isRead = (name: string) => selectors.every((selector) => selector.name !== name || isPlain(selector));
      const edits = selectors.flatMap((selector) => {
        const { name, range, call, whole, matchers } = selector;
        const expr = typeof name === 'string' && isRead(name) ? inlinable.get(name) : undefined;
        const span: Span | undefined = range === undefined ? whole : call;
        return expr === undefined || span === undefined ? [] : [{ ...span, by: select(expr, matchers) }];
      });
      const expr = replaceSpans(rule.expr, edits);
      if (expr.length <= SHORT && mayInline(rule)) inlinable.set(rule.record, expr);
      return { ...rule, expr };
    });
}

function groupsOf(
  chain: Chain,
  levels: readonly RecordingRule[][],
  recorded: ReadonlyMap<string, Recorded>,
  index: number,
): RuleGroup[] {
  const { name, interval } = chain;
  const own = lagsOf(levels);
  // Groups of hours and of five minutes do not all begin in the same minute.
  const minute = MINUTE * (index % Math.max(1, Math.floor(interval / MINUTE)));
  const start = interval < MINUTE ? 0 : MINUTE_OFFSET + minute;
  return levels.map((rules, level) => {
    const lag = lagOf(level);
    return {
      name: levels.length === 1 ? name : `${name} ${level + 1} of ${levels.length}`,
      interval: durationText(interval),
      eval_offset: durationText((start + lag) % interval),
      rules: rules.map((rule) => ({ ...rule, expr: asOf(rule.expr, lag, (read) => own.get(read) ?? 0, recorded) })),
    };
  });
}

/** The expression of an alert, which reads whatever it reads of recorded series as of one time. */
export function alertAsOf(expr: string, recorded: ReadonlyMap<string, Recorded>): string {
  const lags = selectorsIn(expr).flatMap(({ name }) => recorded.get(String(name))?.lag ?? []);
  const isOne = new Set(lags).size < 2;
  const behind = isOne ? 0 : Math.max(...lags) + VISIBLE_AFTER;
  return asOf(expr, 0, (read) => (isOne ? 0 : (recorded.get(read)?.lag ?? behind) - behind), recorded);
}

/**
 * The expression as it must be at T + lag to give what it would at T.
 * @param ownLag of a series that is read: how much later than the time that it is about its sample
 *   is
 */
function asOf(
  expr: string,
  lag: number,
  ownLag: (name: string) => number,
  recorded: ReadonlyMap<string, Recorded>,
): string {
  const edits: (Span & { by: string })[] = [];
  const now = lag === 0 ? [] : callsIn(expr).filter(({ name }) => name === 'time');
  for (const { from, to } of now) edits.push({ from, to, by: `(time() - ${lag})` });
  for (const selector of selectorsIn(expr)) {
    const name = String(selector.name);
    const { lag: written = 0, slower = 0 } = recorded.get(name) ?? {};
    const offset = selector.offset + lag - ownLag(name);
    if (offset !== selector.offset) {
      const { whole, offsetText = { from: whole.to, to: whole.to } } = selector;
      edits.push({
        ...offsetText,
        by: offset === 0 ? '' : ` offset ${offset < 0 ? '-' : ''}${durationText(Math.abs(offset))}`,
      });
    }
    if (selector.call?.name === 'timestamp' && written > 0) {
      const { from, to } = selector.call;
      edits.push({ from, to: from, by: '(' }, { from: to, to, by: ` - ${written})` });
    }
    // A series that comes once a minute would be found for seconds only by a range of seconds.
    if (slower > 0 && ownLag(name) === 0 && selector.rangeText && (selector.range ?? 0) < MINUTE) {
      edits.push({ ...selector.rangeText, by: durationText((selector.range ?? 0) + MINUTE - 1) });
    }
  }
  return replaceSpans(expr, edits);
}
