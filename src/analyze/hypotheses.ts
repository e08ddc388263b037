import type { Labels } from '../csv/tally.ts';
import { meaningOf } from '../domain/auth-codes.ts';
import { formatCount, formatShare } from '../reports/format.ts';
import { type Columns, placeOf, total } from './columns.ts';
import type { Stretch } from './stretches.ts';
import { type TrafficStretch, trafficStretches } from './traffic.ts';

/** Minutes since the epoch, the end exclusive. */
interface Span {
  from: number;
  to: number;
}

/** What may have been behind a time that stands out. */
export interface Hypothesis extends Span {
  /** What stands out, such as `denied above normal`. */
  what: string;
  hypothesis: string;
}

interface Slice {
  labels: Labels;
  stretches: readonly Stretch[];
}
interface Found {
  stretches: readonly Stretch[];
  gaps: { longest: readonly Span[] };
  slices?: readonly Slice[];
}

const ATTEMPTS = 'attempts on top, such as retries, one merchant or card testing';
const TOO_LATE = 'answers that came too late, or a batch of reversals';
/** What a status that rises alone is like. */
const ALONE: Readonly<Record<string, string>> = {
  failed: 'a fault in the platform, or on one connection of several',
  reversed: TOO_LATE,
  backend_reversed: TOO_LATE,
};

/** A code or a slice that has so much of what is above usual carries it. */
const CARRIES = 0.6;
/** Minutes between a gap of the feed and what may be its consequence. */
const BESIDE = 2;
/** Minutes before and after that tell what is usual. */
const AROUND = 60;
/** Fewer events say nothing of a status. */
const ENOUGH = 10;

/** One hypothesis for each stretch above normal, each gap of the feed, each spike and drop of traffic. */
export function hypothesesOf(found: Found, columns: Columns): Hypothesis[] {
  const { stretches, gaps } = found;
  const traffic = trafficStretches(columns);
  return [
    ...stretches.map((stretch) => ({
      ...spanOf(stretch),
      what: `${stretch.status} above normal`,
      hypothesis: behind(stretch, found, columns),
    })),
    ...gaps.longest.map((gap) => ({
      ...spanOf(gap),
      what: 'no rows',
      hypothesis: `a gap of the feed: ${afterGap(gap, traffic)}`,
    })),
    ...traffic.map((one) => ({
      ...spanOf(one),
      what: one.observed > one.usual ? 'more traffic' : 'less traffic',
      hypothesis: ofTraffic(one, gaps.longest, columns),
    })),
  ].sort((a, b) => a.from - b.from);
}

const spanOf = ({ from, to }: Span): Span => ({ from, to });
const overlaps = (a: Span, b: Span) => a.from < b.to && b.from < a.to;
const times = (ratio: number) => `${formatCount(Number(ratio.toPrecision(2)))} times`;

/** Counts of each key in a time, by those of as many minutes around it; where both are enough. */
function ratiosOf({ minutes, counts }: Columns, { from, to }: Span): Map<string, number> {
  const [before, first, last, after] = [from - AROUND, from, to, to + AROUND].map((minute) => placeOf(minutes, minute));
  const known = (first ?? 0) - (before ?? 0) + (after ?? 0) - (last ?? 0);
  const ratios = new Map<string, number>();
  for (const [key, column] of counts) {
    const around = total(column.subarray(before, first)) + total(column.subarray(last, after));
    const usual = (around / known) * ((last ?? 0) - (first ?? 0));
    if (usual >= ENOUGH) ratios.set(key, total(column.subarray(first, last)) / usual);
  }
  return ratios;
}

/** True where two counts rose or fell as much, as far as people see. */
const isAlike = (a: number, b: number) => Math.max(a, b) <= 1.5 * Math.min(a, b) + 0.1;

function behind(stretch: Stretch, { stretches, slices = [], gaps }: Found, columns: Columns): string {
  const { status, observed, expected, codes } = stretch;
  const gap = gaps.longest.find(({ from, to }) => from <= stretch.to + BESIDE && to >= stretch.from - BESIDE);
  if (gap !== undefined) return 'a gap of the feed beside it: what was held back may have been counted at once';
  const ratios = ratiosOf(columns, stretch);
  const approved = ratios.get('approved');
  const own = ratios.get(status) ?? observed / Math.max(expected, 0.5);
  if (approved !== undefined && approved >= 1.5 && isAlike(approved, own))
    return `all statuses alike, ${times(approved)} the hour around it: a traffic spike`;
  const others = stretches.filter((one) => one.status !== status && overlaps(one, stretch));
  const said = [
    sliceOf(stretch, slices),
    codes && codesOf(codes, observed - expected),
    others.length === 0
      ? undefined
      : `${[...new Set(others.map((one) => one.status))].join(' and ')} rose as well: one cause for both, such as a network or an acquirer`,
  ].filter((part) => part !== undefined);
  if (said.length > 0) return said.join('; ');
  if (approved !== undefined && approved < 0.8)
    return `approved fell to ${formatShare(approved)} of the hour around it: what would have been approved was ${status}, after a change or an outage on the way`;
  return `only ${status}, with approvals as usual: ${ALONE[status] ?? ATTEMPTS}`;
}

/** The one slice that carries a stretch. */
function sliceOf(stretch: Stretch, slices: readonly Slice[]): string | undefined {
  const excess = (of: readonly Stretch[]) => of.reduce((sum, one) => sum + one.observed - one.expected, 0);
  const shares = slices.map(({ labels, stretches }) => ({
    name: Object.entries(labels)
      .map(([label, value]) => `${label} ${value}`)
      .join(', '),
    share:
      excess(stretches.filter((one) => one.status === stretch.status && overlaps(one, stretch))) / excess([stretch]),
  }));
  const largest = shares.sort((a, b) => b.share - a.share)[0];
  if (largest === undefined) return undefined;
  if (largest.share >= CARRIES) return `only ${largest.name}`;
  return shares.filter(({ share }) => share > 0).length > 1 ? 'several slices alike' : undefined;
}

function codesOf(codes: NonNullable<Stretch['codes']>, excess: number): string | undefined {
  const [first, ...others] = codes;
  if (first === undefined) return undefined;
  const all = Math.max(
    excess,
    codes.reduce((sum, code) => sum + code.excess, 0),
  );
  const named = (code: string) => `${code} (${meaningOf(code)})`;
  if (first.excess >= CARRIES * all) return `only code ${named(first.code)}`;
  return `codes ${[first, ...others].map(({ code }) => code).join(', ')} together`;
}

function afterGap(gap: Span, traffic: readonly TrafficStretch[]): string {
  const after = traffic.find(({ from, to }) => from <= gap.to + BESIDE && to > gap.to);
  return after !== undefined && after.observed > after.usual
    ? 'what was held back came at once after it'
    : 'what happened meanwhile was not counted';
}

function ofTraffic(one: TrafficStretch, gaps: readonly Span[], columns: Columns): string {
  const ratio = one.observed / one.usual;
  const isMore = ratio > 1;
  if (isMore && gaps.some(({ to }) => to <= one.to && to >= one.from - BESIDE))
    return 'right after a gap of the feed: what was held back was counted at once';
  const ratios = ratiosOf(columns, one);
  const approved = ratios.get('approved') ?? ratio;
  const unlike = [...ratios].filter(([key, of]) => key !== 'approved' && !isAlike(of, approved));
  const far = isMore ? times(ratio) : formatShare(ratio);
  if (unlike.length === 0)
    return isMore
      ? `all statuses alike, ${far} the hours around it: a traffic spike`
      : `all statuses alike, ${far} of the hours around it: fewer customers came as far as paying`;
  const others = unlike.map(([key]) => key).join(' and ');
  return isMore
    ? `not ${others} alike: sent or counted twice, or retried`
    : `not ${others} alike: payments that fail on the way`;
}
