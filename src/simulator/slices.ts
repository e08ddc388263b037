import type { MinuteCounts } from '../domain/minutes.ts';
import type { Status } from '../domain/names.ts';
import { binomial, type Random, randomFor } from '../domain/random.ts';
import type { TrafficMinute } from './feed.ts';

/** A label with its values, the first the largest. */
export interface Dimension {
  name: string;
  values: readonly string[];
}

type Piece = NonNullable<MinuteCounts['labelled']>[number];

/** The nth value has so much of the first's traffic. */
const weightOf = (nth: number): number => 1 / (nth + 1);

/** Shares `count` out by chance among the first value, the second, ...; the sum is `count`. */
function shares(count: number, values: number, random: Random): number[] {
  let left = count;
  let weight = Array.from({ length: values }, (_, nth) => weightOf(nth)).reduce((sum, one) => sum + one, 0);
  return Array.from({ length: values }, (_, nth) => {
    const own = nth === values - 1 ? left : binomial(left, weightOf(nth) / weight, random);
    left -= own;
    weight -= weightOf(nth);
    return own;
  });
}

/** The counts of each value, whose sums are those given. */
function dealt<Key extends string>(
  counts: Partial<Record<Key, number>>,
  values: number,
  random: Random,
): Record<Key, number>[] {
  const each = Array.from({ length: values }, () => ({}) as Record<Key, number>);
  for (const [key, count] of Object.entries(counts) as [Key, number][]) {
    const own = shares(count, values, random);
    each.forEach((one, nth) => {
      one[key] = own[nth] ?? 0;
    });
  }
  return each;
}

/** Each transaction has one value of the dimension, by chance; the sums stay as they were. */
function split({ labels, counts }: Piece, { name, values }: Dimension, random: Random): Piece[] {
  const own = dealt(counts, values.length, random);
  return values.map((value, nth) => ({ labels: { ...labels, [name]: value }, counts: own[nth] ?? {} }));
}

/**
 * The counts and auth codes of a minute by the values of one dimension. Denied stays the sum of its
 * codes, and 00 what is approved.
 */
export function slicedWithCodes(counted: TrafficMinute, { name, values }: Dimension, seed: number): Piece[] {
  const random = randomFor(seed, 2401, counted.minute);
  const { '00': _approved, ...denials } = counted.authCodes;
  const codes = dealt(denials, values.length, random);
  const counts = dealt(counted.counts, values.length, random);
  return values.map((value, nth) => {
    const own = counts[nth] ?? ({} as Record<Status, number>);
    const denied = Object.values(codes[nth] ?? {}).reduce((sum, count) => sum + count, 0);
    return {
      labels: { [name]: value },
      counts: { ...own, denied },
      authCodes: { ...codes[nth], '00': own.approved },
    };
  });
}

/**
 * Counts by the values of dimensions, which share the traffic unevenly. The same seed gives the
 * same shares of a minute.
 */
export function sliced(counted: MinuteCounts, dimensions: readonly Dimension[], seed: number): MinuteCounts {
  const random = randomFor(seed, 2400, counted.minute);
  const { minute, counts = {}, labelled = [{ labels: {}, counts }] } = counted;
  const pieces = dimensions.reduce<readonly Piece[]>(
    (before, dimension) => before.flatMap((piece) => split(piece, dimension, random)),
    labelled,
  );
  return { minute, labelled: pieces };
}

/** A source of the report of each minute; a minute may have none. */
export interface Source {
  at: (minute: number) => MinuteCounts | undefined;
}

/**
 * Everybody's traffic by slice, but for the values that have a source of their own: those slices
 * are of that source, which should differ only in what happens to them.
 */
export function slicedTraffic(
  all: Source,
  own: readonly { value: string; traffic: Source }[],
  dimensions: readonly Dimension[],
  seed: number,
): Source {
  const has = ({ labels }: Piece, value: string) => Object.values(labels).includes(value);
  return {
    at: (minute) => {
      const piecesOf = (source: Source) => {
        const counted = source.at(minute);
        return counted === undefined ? [] : (sliced(counted, dimensions, seed).labelled ?? []);
      };
      const labelled = own.reduce(
        (pieces, { value, traffic }) => [
          ...pieces.filter((piece) => !has(piece, value)),
          ...piecesOf(traffic).filter((piece) => has(piece, value)),
        ],
        [...piecesOf(all)],
      );
      return labelled.length === 0 ? undefined : { minute, labelled };
    },
  };
}
