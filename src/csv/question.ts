import type { ColumnsAsked } from './asked-columns.ts';
import type { Columns } from './columns.ts';
import { headerText } from './header-names.ts';

/** A table of which something may be read in two ways. */
export interface Doubted extends Columns {
  sample: readonly string[][];
  /** Lines under the header that say how the numbers were asked for. */
  settings: readonly string[][];
  asked: ColumnsAsked;
  /** Each row is one transaction, as far as is known. */
  isEvents: boolean;
  /** The columns of counts. */
  counted: readonly number[];
}

/** @returns what people are asked, in words that say by what they decide it */
export type Question = (table: Doubted) => string | undefined;

export const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(' and ');
export const named = ({ header }: Doubted, column: number): string => headerText(header, column);
