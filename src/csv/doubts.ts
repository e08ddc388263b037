import { statusOf, statusOfCell, wordKey, wordsIn } from '../domain/status-words.ts';
import type { ColumnsAsked } from './asked-columns.ts';
import type { Columns } from './columns.ts';
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
import { headerKey, headerText, rankOf } from './header-names.ts';
import { cellsOf, shareOf } from './sampled.ts';
import { likelyMinutes } from './time-columns.ts';
import { overlap } from './windows.ts';

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(' and ');

/**
 * Says what of a table may be read in two ways, and by what people decide it.
 * @param settings lines under the header that say how the numbers were asked for
 */
export function openQuestion(
  columns: Columns,
  sample: readonly string[][],
  settings: readonly string[][],
  asked: ColumnsAsked,
): string | undefined {
  const isCountAsked = asked.columns?.count !== undefined;
  const rate = sampleRate(columns, sample);
  if (rate !== undefined && !isCountAsked)
    return (
      `each row would be one transaction; but by ${JSON.stringify(rate)} rows are a sample, and each stands for several: ` +
      'export counts, or pass --columns count= if each row is one transaction'
    );
  const count = likelyCount(columns, sample);
  if (count !== undefined && !isCountAsked && sample.length > 1)
    return (
      `no column is named as a count, so each row would be one transaction; but ${JSON.stringify(count)} ` +
      (isRate(count)
        ? 'is no count by its name: export counts, or pass --columns count= if each row is one transaction'
        : `holds whole numbers: pass --columns count=${count} if it is the count, or --columns count= if it is not`)
    );
  if (asked.columns === undefined && areShares(columns, sample))
    return (
      'the counts of each minute add up to 100, as percentages do: export counts, or say with --columns which columns are counts, ' +
      'such as --columns count=... or approved=...,denied=...'
    );
  const overlapping = overlap(columns, sample, asked.columns !== undefined);
  if (overlapping !== undefined) return overlapping;
  const stages = stageColumns(columns, asked);
  if (stages !== undefined)
    return (
      `${quoted(stages)} all mean approved, and may be stages of the same transactions: ` +
      `leave out all but one by a file given by --status-map, with lines such as "${stages[1]}: ignore"; if they add up, pass --status-map with "${stages[0]}: approved" and a line like it for each`
    );
  const statistic = otherStatistic(settings);
  if (statistic !== undefined)
    return `the numbers are of the statistic ${JSON.stringify(statistic)}: export the statistic Sum, with a period of 1 minute`;
  const sum = likelySum(columns, sample);
  if (sum !== undefined && !isCountAsked)
    return (
      `no column is named as a count, and rows look summed up by the minute, ${JSON.stringify(sum)} among them: ` +
      'export the number of transactions too, or pass --columns count= if each row is one transaction'
    );
  const rivals = rivalCounts(columns, sample);
  if (rivals !== undefined && !isCountAsked)
    return (
      `${quoted(rivals)} both hold whole numbers, and either may be the count: ` +
      `pass ${rivals.map((name) => `--columns count=${name}`).join(' or ')}`
    );
  const end = asked.columns === undefined ? endAlone(columns) : undefined;
  if (end !== undefined)
    return (
      `${JSON.stringify(end)} is the end of each minute or interval by its name, and counts belong to its begin: export the begin, ` +
      `or pass --columns time="${end}" to count at the end`
    );
  const statuses = rivalStatuses(columns, sample, asked);
  if (statuses !== undefined && asked.columns?.status === undefined)
    return (
      `${quoted(statuses)} both hold statuses, and differ: ` +
      `pass ${statuses.map((name) => `--columns status="${name}"`).join(' or ')}`
    );
  const misnamed = asked.columns === undefined ? noCountByName(columns) : undefined;
  if (misnamed !== undefined)
    return (
      `${JSON.stringify(misnamed)} is no count of a minute's transactions by its name: export counts by the minute, ` +
      'or say with --columns which columns are counts, such as --columns count=... or approved=...,denied=...'
    );
  const apart = rowsApart(columns, sample);
  if (apart !== undefined && asked.columns === undefined)
    return (
      `rows with ${JSON.stringify(apart.cell)} in ${JSON.stringify(apart.column)} may not be added to the others: leave out of the file what does not count, ` +
      `or pass --dimensions ${apart.column} if all of it does`
    );
  const doubtful = doubtfulCount(columns, sample);
  if (doubtful !== undefined && !isCountAsked)
    return (
      `times have seconds, so each row may be one transaction, and ${JSON.stringify(doubtful)} ` +
      `a number of it: pass --columns count=${doubtful} if it is the count, or --columns count= if it is not`
    );
  const minutes = likelyMinutes(columns, sample);
  if (minutes !== undefined && asked.columns === undefined) {
    const parts = [...columns.time, minutes].map((column) => headerText(columns.header, column));
    const named = ['date', 'hour', 'minute'].slice(-parts.length).map((part, at) => `${part}=${parts[at]}`);
    return (
      `times are whole hours, and ${JSON.stringify(parts.at(-1))} tells rows of an hour apart: pass --columns ${named.join(',')} ` +
      `if it holds their minutes, or --columns ${named.slice(0, -1).join(',')} if not; a number of a part of an hour must be exported as the minute when it begins`
    );
  }
  const status = likelyStatus(columns, sample, asked);
  if (status !== undefined)
    return (
      `${JSON.stringify(status)} may hold counts of a status that is not known; ` +
      `say what it means in a file given by --status-map, as in "${status}: denied" or "${status}: ignore"`
    );
  return undefined;
}

/**
 * An ignored column whose cells are whole numbers, where each row would otherwise be one
 * transaction.
 */
function likelyCount(
  { header, telling, time, status, code, count, wide }: Columns,
  sample: readonly string[][],
): string | undefined {
  if (count !== undefined || wide.length > 0) return undefined;
  const counted = looksCounted(sample, time, [status, code]);
  const isNumbered = header.some((name, one) => isIdName(name) && isUnique(sample, one));
  if (isNumbered && hasSeconds(sample, time)) return undefined;
  const isOther = (name: string) =>
    (['time', 'status', 'code'] as const).some((role) => rankOf(name, role) !== undefined) ||
    wordsIn(name).some((word) => /^(?:ms|latency|duration|elapsed)$/.test(word));
  const column = telling.find(
    (one) =>
      sample.length > 0 &&
      // A line of notes may be among the rows.
      shareOf(
        sample.map((cells) => cells[one] ?? ''),
        isCount,
      ) > 0.8 &&
      !isOther(header[one] ?? '') &&
      (!isNoCount(header[one] ?? '') || (counted && isVarying(sample, one))),
  );
  return column === undefined ? undefined : headerText(header, column);
}

/** The statistic of a line under the header that is no sum, as CloudWatch names it. */
const otherStatistic = (settings: readonly string[][]): string | undefined =>
  settings
    .filter(([name = '']) => /^stat/i.test(name))
    .flatMap((cells) => cells.slice(1))
    .find((cell) => cell !== '' && !/^(?:sum|samplecount|count)$/i.test(cell));

/** The only time of rows of counts, where it is the one at which they end. */
function endAlone({ header, time: [time = 0, ...others], count, wide }: Columns): string | undefined {
  const isEnd = wordsIn(header[time] ?? '').some((word) =>
    /^(?:end|ending|ende|fim|fin|fine|until|bis|to)$/.test(word),
  );
  return isEnd && others.length === 0 && (count !== undefined || wide.length > 0)
    ? headerText(header, time)
    : undefined;
}

/** A column of single transactions that says for how many each stands. */
function sampleRate({ header, telling, count, wide }: Columns, sample: readonly string[][]): string | undefined {
  if (count !== undefined || wide.length > 0) return undefined;
  const column = telling.find(
    (one) =>
      /^(?:samplerate|samplingrate|sampleweight|samplingfactor|rowweight)$/.test(headerKey(header[one] ?? '')) &&
      cellsOf({ sample }, one).some((cell) => Number(cell) !== 1),
  );
  return column === undefined ? undefined : headerText(header, column);
}

/** True for numbers of which those of a minute add up to 100, rounded or not, whatever they are. */
function areShares({ time, count, wide, telling, code, status }: Columns, sample: readonly string[][]): boolean {
  const counted = count === undefined ? wide.map(({ column }) => column) : [count];
  if (counted.length + (status === undefined ? 0 : 1) < 2 || telling.length > 0 || code !== undefined) return false;
  const sums = new Map<string, number>();
  for (const cells of sample) {
    const minute = time.map((column) => cells[column]).join(' ');
    const own = counted.reduce((sum, column) => sum + Number(cells[column]), 0);
    sums.set(minute, (sums.get(minute) ?? 0) + own);
  }
  // The sample may end within a minute.
  const whole = [...sums.values()].slice(0, -1);
  const numbers = new Set(counted.flatMap((column) => cellsOf({ sample }, column)));
  return whole.length >= ENOUGH_ROWS && numbers.size > ENOUGH_GROUPS && whole.every((sum) => Math.abs(sum - 100) <= 1);
}

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

/** Columns that are stages of the same approvals, as of what is authorized and what is captured. */
function stageColumns({ header, wide }: Columns, { columns, statusWords }: ColumnsAsked): string[] | undefined {
  const approved = wide.filter(({ status }) => status === 'approved').map(({ column }) => header[column] ?? '');
  // Labels tell apart what is not the same.
  const names = [...new Set(approved)].filter((name) => !/[={]/.test(name));
  const isSaid = columns !== undefined || names.some((name) => statusWords?.has(wordKey(name)));
  return isSaid || names.length < 2 ? undefined : names;
}

const isUnique = (sample: readonly string[][], column: number): boolean =>
  sample.length > 1 && new Set(cellsOf({ sample }, column)).size === sample.length;

/**
 * A column of numbers that are no counts, where each row would be one transaction but rows look
 * summed up by the minute.
 */
function likelySum(
  { header, telling, time, status, code, count, wide }: Columns,
  sample: readonly string[][],
): string | undefined {
  const isEvents = count === undefined && wide.length === 0;
  if (!isEvents || header.some(isIdName) || !looksCounted(sample, time, [status, code])) return undefined;
  const isNumber = (cell: string) => /^[\d.,]*\d\b/.test(cell);
  const column = telling.find(
    (one) => new Set(cellsOf({ sample }, one)).size > 1 && cellsOf({ sample }, one).every(isNumber),
  );
  return column === undefined ? undefined : headerText(header, column);
}

/**
 * Two columns of numbers of which neither name tells which is the count, or of which the count is
 * the same in all rows of a minute, as its total is.
 */
function rivalCounts(
  { header, time, status, code, count, telling }: Columns,
  sample: readonly string[][],
): string[] | undefined {
  if (count === undefined) return undefined;
  const differs = (column: number) => sample.some((cells) => cells[column] !== cells[count]);
  const isTotal = (column: number) =>
    isSameInGroups(sample, time, column) ||
    (status !== undefined && code !== undefined && isSameInGroups(sample, [...time, status], column));
  const mayCount = (column: number) =>
    isVarying(sample, column) && !isNoCount(header[column] ?? '') && !isShare(header[column] ?? '');
  const isRival = isTotal(count)
    ? (column: number) => !isTotal(column) && !isNoCount(header[column] ?? '') && !isShare(header[column] ?? '')
    : (column: number) => isVague(header[count] ?? '') && (isVague(header[column] ?? '') || mayCount(column));
  const rival = telling.find(
    (column) => isRival(column) && cellsOf({ sample }, column).every(isWhole) && differs(column),
  );
  return rival === undefined ? undefined : [count, rival].map((column) => headerText(header, column));
}

/** Cells of rows that may not be added to others: another day, another measure, a test, a refund. */
const APART =
  /^(?:yesterday|ontem|ayer|gestern|lastweek|lastyear|semanapassada|previous|forecast|expected|predicted|baseline|target|(?:sum)?amount\w*|valor|volume\w*|revenue|avg|average|mean|max|min|p\d\d|rate|share|percent\w*|test|testing|sandbox|homologacao|staging|dev|refund|reversal|void|estorno|devolucao|chargeback|1h|1d|60m|hourly|daily)$/;
/** Names of columns of which a yes, or an older one of several times, is no count to be added. */
const APART_BY_NAME = /^(?:test|sandbox|forecast|duplicate|deleted|loaded|version|revision|snapshot|ingested)$/;

/** A column that tells apart rows which may not be added up, with one of its cells. */
function rowsApart(
  { header, telling, count, wide }: Columns,
  sample: readonly string[][],
): { column: string; cell: string } | undefined {
  for (const column of telling) {
    const cells = [...new Set(cellsOf({ sample }, column))];
    if (cells.length < 2) continue;
    const isByName =
      (count !== undefined || wide.length > 0) &&
      wordsIn(header[column] ?? '').some((word) => APART_BY_NAME.test(word));
    const cell = isByName
      ? cells.at(-1)
      : cells.length > 12
        ? undefined
        : cells.find((one) => APART.test(wordKey(one)));
    if (cell !== undefined) return { column: headerText(header, column), cell };
  }
  return undefined;
}

/** Names of rates, of thousands, of sums over more than a minute, and of what is no transaction. */
const NO_COUNT_OF_MINUTE =
  /(?:^|[\W_])(?:per|por|pro|par)[ _](?:s|secs?|seconds?|segundo|h|hour|hora|day|dia)(?:$|[\W_])|\/ ?(?:s|secs?|h|hours?)\b|(?:^|[\W_])(?:tps|rps|qps|thousands?|milhares|0{3}s?)(?:$|[\W_])|\((?:mil|k|tsd)\)|(?:last|rolling|moving)[ _]?\d+|(?:distinct|unique)[ _](?:cards?|users?|customers?|clients?|merchants?)$/i;

/** A column of counts whose name says that it holds something else. */
function noCountByName({ header, count, wide }: Columns): string | undefined {
  const counted = count === undefined ? wide.map(({ column }) => column) : [count];
  const column = counted.find((one) => NO_COUNT_OF_MINUTE.test(header[one] ?? ''));
  return column === undefined ? undefined : headerText(header, column);
}

/** Names of columns that say what came of a transaction, and not what it was before. */
const OF_STATUS = /^(?:status|state|result|outcome|decision|situacao|situacion|estado|resultado|statut|stato)$/;
const BEFORE = /^(?:old|previous|prev|prior|from|anterior|before|last)$/;

/** Two columns of statuses that say different things of a row, neither of them called just that. */
function rivalStatuses(
  { header, status, telling }: Columns,
  sample: readonly string[][],
  { statusWords }: ColumnsAsked,
): string[] | undefined {
  if (status === undefined || headerKey(header[status] ?? '') === 'status') return undefined;
  const meant = (cell = '') => statusWords?.get(wordKey(cell)) ?? statusOfCell(cell);
  const rival = telling.find((column) => {
    const words = wordsIn(header[column] ?? '');
    if (!words.some((word) => OF_STATUS.test(word)) || words.some((word) => BEFORE.test(word))) return false;
    return sample.some((cells) => {
      const [one, other] = [meant(cells[status]), meant(cells[column])];
      return one !== undefined && other !== undefined && one !== other;
    });
  });
  return rival === undefined ? undefined : [status, rival].map((column) => headerText(header, column));
}

/**
 * A count by its name, where times with seconds say that each row may be one transaction, of so many
 * items.
 */
function doubtfulCount({ header, count, time }: Columns, sample: readonly string[][]): string | undefined {
  if (count === undefined || sample.length < ENOUGH_ROWS || !hasSeconds(sample, time)) return undefined;
  const name = header[count] ?? '';
  const isNumbered = () => header.some((one, column) => isIdName(one) && isUnique(sample, column));
  return isWeakCount(name) || (isQuantity(name) && isNumbered()) ? headerText(header, count) : undefined;
}

/** Words for what came of a transaction that may mean several statuses. */
const OUTCOME =
  /^(?:nok|notok|ko|sales|vendas|ventas|others?|outr[oa]s|otr[oa]s|null|unknown|processed|closed|expired|blocked|abandoned|chargebacks?)$/;

/**
 * A column of whole numbers beside those of statuses, whose name has a word for a status that none
 * of them has.
 */
function likelyStatus(
  { header, wide, telling }: Columns,
  sample: readonly string[][],
  { columns, statusWords }: ColumnsAsked,
): string | undefined {
  if (wide.length === 0 || columns !== undefined) return undefined;
  const isNew = (name: string) =>
    statusWords?.has(wordKey(name)) !== true &&
    (OUTCOME.test(wordKey(name)) ||
      wordsIn(name).some((word) => {
        const status = statusOf(word);
        return status !== undefined && !wide.some((one) => one.status === status);
      }));
  const column = telling.find(
    (one) =>
      isNew(header[one] ?? '') &&
      !isNoCount(header[one] ?? '') &&
      !isShare(header[one] ?? '') &&
      shareOf(cellsOf({ sample }, one), isCount) === 1,
  );
  return column === undefined ? undefined : headerText(header, column);
}
