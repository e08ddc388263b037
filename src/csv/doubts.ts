import type { ColumnsAsked } from './asked-columns.ts';
import type { Columns } from './columns.ts';
import {
  doubtfulCount,
  misnamed,
  rivalCounts,
  sampled,
  shares,
  statistic,
  sums,
  unnamedCount,
} from './count-questions.ts';
import type { Question } from './question.ts';
import {
  endAlone,
  minutesApart,
  moreThanAll,
  rivalStatuses,
  rowsApart,
  stages,
  unknownStatus,
} from './row-questions.ts';
import { overlap } from './windows.ts';

/** What people are asked, the first of it that is open, and the part of `--columns` that answers it. */
const QUESTIONS: readonly (readonly [Question, answer: 'count' | 'status' | 'any' | 'none'])[] = [
  [sampled, 'count'],
  [unnamedCount, 'count'],
  [shares, 'any'],
  [stages, 'any'],
  [statistic, 'none'],
  [sums, 'count'],
  [rivalCounts, 'count'],
  [endAlone, 'any'],
  [rivalStatuses, 'status'],
  [misnamed, 'any'],
  [(table) => overlap(table, table.sample, table.asked.columns !== undefined), 'none'],
  [rowsApart, 'any'],
  [doubtfulCount, 'count'],
  [minutesApart, 'any'],
  [unknownStatus, 'any'],
  [moreThanAll, 'any'],
];

/** Says what of a table may be read in two ways, and by what people decide it. */
export function openQuestion(
  columns: Columns,
  sample: readonly string[][],
  settings: readonly string[][],
  asked: ColumnsAsked,
): string | undefined {
  const { count, wide } = columns;
  const counted = count === undefined ? wide.map(({ column }) => column) : [count];
  const table = { ...columns, sample, settings, asked, counted, isEvents: counted.length === 0 };
  for (const [question, answer] of QUESTIONS) {
    const isAnswered = answer === 'any' ? asked.columns !== undefined : asked.columns?.[answer] !== undefined;
    const open = isAnswered ? undefined : question(table);
    if (open !== undefined) return open;
  }
  return undefined;
}
