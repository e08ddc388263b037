import type { ColumnsAsked } from './asked-columns.ts';
import type { Decimal } from './counts.ts';
import type { DateOrder, TimeOptions } from './times.ts';
import type { Totals } from './total-rows.ts';

/** Options that overrule or help the recognition. */
export interface ReadOptions extends ColumnsAsked {
  delimiter?: string;
  decimal?: Decimal;
  /** Day, order, unit and zone of times. */
  times?: TimeOptions;
  /** Leaves out rows with problems and counts them, instead of refusing the file. */
  skipBadRows?: boolean;
  /** Takes counts for totals that only grow. */
  cumulative?: boolean;
}

/** What only the whole file can tell, as far as it is known. */
export interface Formats {
  order?: DateOrder;
  decimal?: Decimal;
  /** Several words mean one status, so that a minute has several rows of it. */
  several?: boolean;
  /** Times without a day are all of the same one. */
  nights?: 'one-day';
  /** Rows that are sums of other rows. */
  totals?: Totals;
}
