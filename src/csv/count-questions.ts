import { wordsIn } from '../domain/status-words.ts';
import {
  ENOUGH_ROWS,
  hasSeconds,
  isCount,
  isIdName,
  isNoCount,
  isQuantity,
  isRate,
  isShare,
  isVague,
  isVarying,
  isWeakCount,
  isWhole,
  looksCounted,
} from './count-column.ts';
import { headerKey, rankOf } from './header-names.ts';
import { named, type Question, quoted } from './question.ts';
import { cellsOf, shareOf } from './sampled.ts';

const EACH_ROW = 'pass --columns count= if each row is one transaction';
const WHICH_COUNTS =
  'say with --columns which columns are counts, such as --columns count=... or approved=...,denied=...';

/** A column of single transactions that says for how many each stands. */
export const sampled: Question = (table) => {
  const { header, telling, sample, isEvents } = table;
  const rate = telling.find(
    (one) =>
      /^(?:samplerate|samplingrate|sampleweight|samplingfactor|rowweight)$/.test(headerKey(header[one] ?? '')) &&
      cellsOf({ sample }, one).some((cell) => Number(cell) !== 1),
  );
  return !isEvents || rate === undefined
    ? undefined
    : `each row would be one transaction; but by ${JSON.stringify(named(table, rate))} rows are a sample, and each stands for several: ` +
        `export counts, or ${EACH_ROW}`;
};

/**
 * An ignored column whose cells are whole numbers, where each row would otherwise be one
 * transaction.
 */
export const unnamedCount: Question = (table) => {
  const { header, telling, time, status, code, sample, isEvents } = table;
  if (!isEvents || sample.length < 2) return undefined;
  const counted = looksCounted(sample, time, [status, code]);
  const isNumbered = header.some((name, one) => isIdName(name) && isUnique(sample, one));
  if (isNumbered && hasSeconds(sample, time)) return undefined;
  const isOther = (name: string) =>
    (['time', 'status', 'code'] as const).some((role) => rankOf(name, role) !== undefined) ||
    wordsIn(name).some((word) => /^(?:ms|latency|duration|elapsed)$/.test(word));
  const column = telling.find((one) => {
    const cells = sample.map((row) => row[one] ?? '');
    const mayCount = !isNoCount(header[one] ?? '') || (counted && isVarying(sample, one));
    // A line of notes may be among the rows.
    return shareOf(cells, isCount) > 0.8 && !isOther(header[one] ?? '') && mayCount;
  });
  if (column === undefined) return undefined;
  const name = named(table, column);
  return (
    `no column is named as a count, so each row would be one transaction; but ${JSON.stringify(name)} ` +
    (isRate(name)
      ? `is no count by its name: export counts, or ${EACH_ROW}`
      : `holds whole numbers: pass --columns count=${name} if it is the count, or --columns count= if it is not`)
  );
};

/** Numbers of which those of a minute add up to 100, rounded or not, whatever they are. */
export const shares: Question = ({ time, telling, code, status, sample, counted }) => {
  if (counted.length + (status === undefined ? 0 : 1) < 2 || telling.length > 0 || code !== undefined) return undefined;
  const sums = new Map<string, number>();
  for (const cells of sample) {
    const minute = time.map((column) => cells[column]).join(' ');
    const own = counted.reduce((sum, column) => sum + Number(cells[column]), 0);
    sums.set(minute, (sums.get(minute) ?? 0) + own);
  }
  // The sample may end within a minute.
  const whole = [...sums.values()].slice(0, -1);
  const numbers = new Set(counted.flatMap((column) => cellsOf({ sample }, column)));
  const areShares = whole.length >= ENOUGH_ROWS && numbers.size > ENOUGH_GROUPS;
  return areShares && whole.every((sum) => Math.abs(sum - 100) <= 1)
    ? `the counts of each minute add up to 100, as percentages do: export counts, or ${WHICH_COUNTS}`
    : undefined;
};

/** The statistic of a line under the header that is no sum, as CloudWatch names it. */
export const statistic: Question = ({ settings }) => {
  const other = settings
    .filter(([name = '']) => /^stat/i.test(name))
    .flatMap((cells) => cells.slice(1))
    .find((cell) => cell !== '' && !/^(?:sum|samplecount|count)$/i.test(cell));
  return other === undefined
    ? undefined
    : `the numbers are of the statistic ${JSON.stringify(other)}: export the statistic Sum, with a period of 1 minute`;
};

/**
 * A column of numbers that are no counts, where each row would be one transaction but rows look
 * summed up by the minute.
 */
export const sums: Question = (table) => {
  const { header, telling, time, status, code, sample, isEvents } = table;
  if (!isEvents || header.some(isIdName)) return undefined;
  const counted = looksCounted(sample, time, [status, code]);
  const isNumber = (cell: string) => /^[\d.,]*\d\b/.test(cell);
  const column = telling.find((one) => {
    const isSum = counted || /^s[uo]mm?[ae]?$/.test(wordsIn(header[one] ?? '')[0] ?? '');
    return isSum && new Set(cellsOf({ sample }, one)).size > 1 && cellsOf({ sample }, one).every(isNumber);
  });
  return column === undefined
    ? undefined
    : `no column is named as a count, and rows look summed up by the minute, ${JSON.stringify(named(table, column))} among them: ` +
        `export the number of transactions too, or ${EACH_ROW}`;
};

/**
 * Two columns of numbers of which neither name tells which is the count, or of which the count is
 * the same in all rows of a minute, as its total is.
 */
export const rivalCounts: Question = (table) => {
  const { header, time, status, code, count, telling, sample } = table;
  if (count === undefined) return undefined;
  const differs = (column: number) => sample.some((cells) => cells[column] !== cells[count]);
  const isTotal = (column: number) =>
    isSameInGroups(sample, time, column) ||
    (status !== undefined && code !== undefined && isSameInGroups(sample, [...time, status], column));
  const mayBeNamed = (column: number) => !isNoCount(header[column] ?? '') && !isShare(header[column] ?? '');
  const isRival = isTotal(count)
    ? (column: number) => !isTotal(column) && mayBeNamed(column)
    : (column: number) =>
        (isVague(header[count] ?? '') &&
          (isVague(header[column] ?? '') || (isVarying(sample, column) && mayBeNamed(column)))) ||
        (rankOf(header[column] ?? '', 'count') === rankOf(header[count] ?? '', 'count') && mayBeNamed(column));
  const rival = telling.find(
    (column) => isRival(column) && cellsOf({ sample }, column).every(isWhole) && differs(column),
  );
  if (rival === undefined) return undefined;
  const names = [count, rival].map((column) => named(table, column));
  const either = names.map((name) => `--columns count=${name}`).join(' or ');
  return `${quoted(names)} both hold whole numbers, and either may be the count: pass ${either}`;
};

/** Names of rates, of thousands, of sums over more than a minute, and of what is no transaction. */
const NO_COUNT_OF_MINUTE =
  /(?:^|[\W_])(?:per|por|pro|par)[ _](?:s|secs?|seconds?|segundo|h|hour|hora|day|dia)(?:$|[\W_])|\/ ?(?:s|secs?|h|hours?)\b|(?:^|[\W_])(?:tps|rps|qps|thousands?|milhares|0{3}s?)(?:$|[\W_])|\((?:mil|k|tsd)\)|(?:last|rolling|moving)[ _]?\d+|(?:^|[\W_])(?:rolling|moving|trailing|smoothed|[se]?ma\d+)(?:$|[\W_])|(?:distinct|unique)[ _](?:cards?|users?|customers?|clients?|merchants?)$/i;

/** A column of counts whose name says that it holds something else. */
export const misnamed: Question = (table) => {
  const column = table.counted.find((one) => NO_COUNT_OF_MINUTE.test(table.header[one] ?? ''));
  return column === undefined
    ? undefined
    : `${JSON.stringify(named(table, column))} is no count of a minute's transactions by its name: export counts by the minute, or ${WHICH_COUNTS}`;
};

/**
 * A count by its name, where times with seconds say that each row may be one transaction, of so many
 * items.
 */
export const doubtfulCount: Question = (table) => {
  const { header, count, time, sample } = table;
  if (count === undefined || sample.length < ENOUGH_ROWS || !hasSeconds(sample, time)) return undefined;
  const name = header[count] ?? '';
  const isNumbered = () => header.some((one, column) => isIdName(one) && isUnique(sample, column));
  if (!isWeakCount(name) && !(isQuantity(name) && isNumbered())) return undefined;
  const said = named(table, count);
  return (
    `times have seconds, so each row may be one transaction, and ${JSON.stringify(said)} ` +
    `a number of it: pass --columns count=${said} if it is the count, or --columns count= if it is not`
  );
};

const ENOUGH_GROUPS = 3;

/** True for numbers that rows of a group, such as a minute, share, and that differ between groups. */
function isSameInGroups(sample: readonly string[][], by: readonly number[], column: number): boolean {
  const groups = new Map<string, string[]>();
  for (const cells of sample) {
    const address = by.map((part) => cells[part]).join('\0');
    groups.set(address, [...(groups.get(address) ?? []), cells[column] ?? '']);
  }
  const several = [...groups.values()].filter((group) => group.length > 1);
  const isSame = several.every((group) => new Set(group).size === 1);
  return isSame && several.length >= ENOUGH_GROUPS && new Set([...groups.values()].flat()).size > 1;
}

const isUnique = (sample: readonly string[][], column: number): boolean =>
  sample.length > 1 && new Set(cellsOf({ sample }, column)).size === sample.length;
