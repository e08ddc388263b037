import type { MinuteCounts } from '../domain/minutes.ts';
import type { Status } from '../domain/names.ts';
import { binomial, type Random, randomFor } from '../domain/random.ts';

/** A label with its values, the first the largest. */
export interface Dimension {
  name: string;
  values: readonly string[];
}

type Piece = NonNullable<MinuteCounts['labelled']>[number];

/** The nth value has so much of the first's traffic. */
const weightOf = (nth: number): number => 1 / (nth + 1);

/** Each transaction has one value of the dimension, by chance; the sums stay as they were. */
function split({ labels, counts }: Piece, { name, values }: Dimension, random: Random): Piece[] {
  const pieces = values.map((value) => ({
    labels: { ...labels, [name]: value },
    counts: {} as Partial<Record<Status, number>>,
  }));
  const all = values.reduce((sum, _, nth) => sum + weightOf(nth), 0);
  for (const [status, count] of Object.entries(counts) as [Status, number][]) {
    let left = count;
    let weight = all;
    pieces.forEach((piece, nth) => {
      const isLast = nth === pieces.length - 1;
      const own = isLast ? left : binomial(left, weightOf(nth) / weight, random);
      piece.counts[status] = own;
      left -= own;
      weight -= weightOf(nth);
    });
  }
  return pieces;
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

/** What is reported for a minute, or nothing. */
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
