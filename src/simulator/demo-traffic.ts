import type { MinuteCounts } from '../domain/minutes.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import type { Demo, DemoTraffic } from './demo.ts';
import { AUTH_CODES } from './feed.ts';
import { type Clock, type PostOptions, postUntilTaken, REAL_CLOCK, Refused } from './post-traffic.ts';

/**
 * The running minute is told when half of it has passed, so that what happens in it is seen before
 * it ends.
 */
const STEP_MS = 30_000;
/**
 * An incident that is started sooner is told of at once, with half a minute's counts: fewer would
 * look like chance.
 */
const LEAST_PART = 0.5;
const MINUTE_MS = 60_000;
const DAY = 1440;

type Counted = Pick<MinuteCounts, 'counts' | 'authCodes'>;
type Numbers = Readonly<Record<string, number>>;

/**
 * The part of a minute that has passed; never less than was told before, since counts may only be
 * corrected upwards.
 */
function told<N extends Numbers>(counts: N, before: Numbers, part: number): N {
  const raised = Object.entries(counts).map(([key, n]) => [key, Math.max(Math.floor(n * part), before[key] ?? 0)]);
  return Object.fromEntries(raised) as N;
}

function partOf(whole: MinuteCounts, before: MinuteCounts | undefined, part: number): MinuteCounts {
  const countsOf = ({ counts, authCodes }: Counted, earlier: Counted | undefined) => ({
    ...(counts && { counts: told(counts, earlier?.counts ?? {}, part) }),
    ...(authCodes && { authCodes: told(authCodes, earlier?.authCodes ?? {}, part) }),
  });
  const labelled = whole.labelled?.map(({ labels, ...slice }, nth) => ({
    labels,
    counts: {},
    ...countsOf(slice, before?.labelled?.[nth]),
  }));
  return { minute: whole.minute, ...countsOf(whole, before), ...(labelled && { labelled }) };
}

/**
 * Minutes since the epoch of the minute before this one: the demo reports it as it starts, so that
 * nothing is missing at first.
 */
export const minuteBefore = (): number => Math.floor(Date.now() / 60_000) - 1;

/**
 * Days of history by acquirer. The normal is computed from seven days; days before these have only
 * the total, so that the demo starts soon.
 */
const SLICED_DAYS = 8;

function* minutesOf(traffic: Pick<DemoTraffic, 'at'>, from: number, to: number): Generator<MinuteCounts> {
  for (let minute = from; minute < to; minute++) {
    const counted = traffic.at(minute);
    if (counted !== undefined) yield minute < to - SLICED_DAYS * DAY ? summed(counted) : counted;
  }
}

/** Sums over all labels. */
function summed({ minute, labelled = [] }: MinuteCounts): MinuteCounts {
  const sum = (all: readonly Numbers[]) => {
    const sums: Record<string, number> = {};
    for (const counts of all) for (const [key, count] of Object.entries(counts)) sums[key] = (sums[key] ?? 0) + count;
    return sums;
  };
  return {
    minute,
    counts: sum(labelled.map(({ counts }) => counts as Numbers)),
    authCodes: sum(labelled.map(({ authCodes = {} }) => authCodes)),
  };
}

/**
 * Days of the demo's traffic, to be imported before it starts. They end a minute before its first
 * report, since the count of a minute is the difference to the total a minute ago: right after
 * imported history it would be 0.
 */
export function demoHistory(
  traffic: Pick<DemoTraffic, 'at'>,
  days: number,
): { minutes: Iterable<MinuteCounts>; to: number; authCodes: readonly string[]; rulesDir: string } {
  const end = minuteBefore() - 1;
  return {
    minutes: minutesOf(traffic, end - days * DAY, end),
    to: end * 60,
    authCodes: AUTH_CODES,
    rulesDir: SHIPPED_RULES,
  };
}

export interface DemoTrafficOptions extends Omit<PostOptions, 'to' | 'onAnswer' | 'traffic'> {
  traffic: Pick<DemoTraffic, 'at'>;
  demo: Demo;
  /** Receives the service's answer for each whole minute. */
  onMinute: (minute: MinuteCounts, recommendation: string) => void;
}

/** Undefined where an earlier run, whose incidents are forgotten, has told more of this minute. */
async function answerTo(minute: MinuteCounts, options: PostOptions, clock: Clock): Promise<string | undefined> {
  // The report has no key, because its source and its minute identify it.
  return postUntilTaken(minute, options, clock, undefined).catch((error: unknown) => {
    if (!(error instanceof Refused) || error.status !== 409) throw error;
    return undefined;
  });
}

/**
 * Posts each minute by halves, while it runs and when it ends, and at once when an incident is
 * started in it, until the signal.
 * @throws Refused when the service refuses a report (4xx)
 */
export async function postDemoTraffic(options: DemoTrafficOptions): Promise<void> {
  const { traffic, demo, signal, clock = REAL_CLOCK } = options;
  let started = demo.started();
  let before: MinuteCounts | undefined;
  for (let end = (options.from + 1) * MINUTE_MS; ; ) {
    const step = Math.min(end, Math.ceil((clock.now() + 1) / STEP_MS) * STEP_MS);
    await clock.sleep(Math.max(0, step - clock.now()), AbortSignal.any([signal, started])).catch(() => {});
    if (signal.aborted) return;
    const least = started.aborted ? LEAST_PART : 0;
    started = demo.started();
    const part = Math.min(1, Math.max(least, 1 - (end - clock.now()) / MINUTE_MS));
    const whole = traffic.at(end / MINUTE_MS - 1);
    if (whole !== undefined) {
      before = partOf(whole, before, part);
      const recommendation = await answerTo(before, options, clock);
      if (part === 1 && recommendation !== undefined) options.onMinute(before, recommendation);
    }
    if (part < 1) continue;
    before = undefined;
    end += MINUTE_MS;
  }
}
