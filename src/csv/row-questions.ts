import { statusOf, statusOfCell, wordKey, wordsIn } from '../domain/status-words.ts';
import { isCount, isNoCount, isShare } from './count-column.ts';
import { coreOf, headerKey } from './header-names.ts';
import { named, type Question, quoted } from './question.ts';
import { cellsOf, shareOf } from './sampled.ts';
import { likelyMinutes } from './time-columns.ts';

/** Columns that are stages of the same approvals, as of what is authorized and what is captured. */
export const stages: Question = ({ header, wide, asked: { statusWords } }) => {
  const approved = wide.filter(({ status }) => status === 'approved').map(({ column }) => header[column] ?? '');
  // Labels tell apart what is not the same.
  const names = [...new Set(approved)].filter((name) => !/[={]/.test(name));
  const isSaid = names.some((name) => statusWords?.has(wordKey(name)));
  return isSaid || names.length < 2
    ? undefined
    : `${quoted(names)} all mean approved, and may be stages of the same transactions: ` +
        `leave out all but one by a file given by --status-map, with lines such as "${names[1]}: ignore"; if they add up, pass --status-map with "${names[0]}: approved" and a line like it for each`;
};

/** The only time of rows of counts, where it is the one at which they end. */
export const endAlone: Question = (table) => {
  const {
    header,
    time: [time = 0, ...others],
    isEvents,
  } = table;
  const isEnd = wordsIn(header[time] ?? '').some((word) =>
    /^(?:end|ending|ende|fim|fin|fine|until|bis|to)$/.test(word),
  );
  const name = named(table, time);
  return isEnd && others.length === 0 && !isEvents
    ? `${JSON.stringify(name)} is the end of each minute or interval by its name, and counts belong to its begin: export the begin, ` +
        `or pass --columns time="${name}" to count at the end`
    : undefined;
};

/** A total beside the columns of statuses that is more than their sum: others have no column. */
export const moreThanAll: Question = (table) => {
  const { header, wide, telling, sample } = table;
  const numberIn = (cells: readonly string[], column: number) => Number(cells[column]?.replaceAll(',', '') || 0);
  const beyond = (cells: readonly string[], total: number) =>
    numberIn(cells, total) - wide.reduce((sum, { column }) => sum + numberIn(cells, column), 0);
  const total = telling.find(
    (column) =>
      wordsIn(header[column] ?? '').some((word) => /^(?:total|totals|all|gesamt|todos|todas)$/.test(word)) &&
      !isNoCount(header[column] ?? '') &&
      !isShare(header[column] ?? '') &&
      cellsOf(table, column).every(isCount) &&
      sample.every((cells) => beyond(cells, column) >= 0) &&
      sample.some((cells) => beyond(cells, column) > 0),
  );
  // Without approvals there is a warning of its own.
  if (total === undefined || !wide.some(({ status }) => status === 'approved')) return undefined;
  return (
    `${JSON.stringify(named(table, total))} is more than the statuses beside it, so others have no column: export a column for each status, ` +
    'or say with --columns which columns are counts, such as --columns approved=...,denied=...'
  );
};

/** Names of columns that say what came of a transaction, and not what it was before. */
const OF_STATUS = /^(?:status|state|result|outcome|decision|situacao|situacion|estado|resultado|statut|stato)$/;
const BEFORE = /^(?:old|previous|prev|prior|from|anterior|before|last)$/;

/** Two columns of statuses that say different things of a row, neither of them called just that. */
export const rivalStatuses: Question = (table) => {
  const { header, status, telling, sample, asked } = table;
  if (status === undefined || headerKey(header[status] ?? '') === 'status') return undefined;
  const meant = (cell = '') => asked.statusWords?.get(wordKey(cell)) ?? statusOfCell(cell);
  const rival = telling.find((column) => {
    const words = wordsIn(header[column] ?? '');
    if (!words.some((word) => OF_STATUS.test(word)) || words.some((word) => BEFORE.test(word))) return false;
    return sample.some((cells) => {
      const [one, other] = [meant(cells[status]), meant(cells[column])];
      return one !== undefined && other !== undefined && one !== other;
    });
  });
  if (rival === undefined) return undefined;
  const names = [status, rival].map((column) => named(table, column));
  const either = names.map((name) => `--columns status="${name}"`).join(' or ');
  return `${quoted(names)} both hold statuses, and differ: pass ${either}`;
};

/** Cells of rows that may not be added to others: another day, another measure, a test, a refund. */
const APART = new RegExp(
  `^(?:${[
    'yesterday|ontem|ayer|gestern|hier|lastweek|lastmonth|lastyear|semanapassada|vorwoche|previous|prior|anterior',
    'forecast|expected|predicted|baseline|target|budget|plan|planned|(?:upper|lower)(?:bound|band|limit)?|trend',
    String.raw`(?:sum)?amount\w*|valor|volume\w*|revenue|avg|average|mean|max|min|median|p\d\d|rate|share|percent\w*`,
    'test|testing|sandbox|homologacao|hml|staging|stage|stg|dev|qa|uat|sit|preprod',
    'refund|reversal|void|estorno|devolucao|chargeback|1h|1d|60m|hourly|daily',
  ].join('|')})$`,
);
/** Names of columns of which a yes, or an older one of several times, is no count to be added. */
const APART_BY_NAME = /^(?:test|sandbox|forecast|duplicate|deleted|loaded|version|revision|snapshot|ingested)$/;

/** Lengths of time, of which a row of the longer has all that those of the shorter have. */
const LENGTH = /^\d+ ?(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?)$/i;

/** A column that tells apart rows which may not be added up, with one of its cells. */
export const rowsApart: Question = (table) => {
  const { header, telling, sample, isEvents } = table;
  for (const column of telling) {
    const cells = [...new Set(cellsOf({ sample }, column))];
    if (cells.length < 2) continue;
    const isByName = !isEvents && wordsIn(header[column] ?? '').some((word) => APART_BY_NAME.test(word));
    const apart =
      cells.length > 12 ? undefined : cells.find((one) => APART.test(wordKey(one)) || APART.test(coreOf(one)));
    const cell = isByName || cells.every((one) => LENGTH.test(one)) ? cells.at(-1) : apart;
    if (cell === undefined) continue;
    const name = named(table, column);
    return (
      `rows with ${JSON.stringify(cell)} in ${JSON.stringify(name)} may not be added to the others: leave out of the file what does not count, ` +
      `or pass --dimensions ${name} if all of it does`
    );
  }
  return undefined;
};

/** Whole hours beside a column that may hold their minutes. */
export const minutesApart: Question = (table) => {
  const minutes = likelyMinutes(table, table.sample);
  if (minutes === undefined) return undefined;
  const parts = [...table.time, minutes].map((column) => named(table, column));
  const roles = ['date', 'hour', 'minute'].slice(-parts.length).map((part, at) => `${part}=${parts[at]}`);
  return (
    `times are whole hours, and ${JSON.stringify(parts.at(-1))} tells rows of an hour apart: pass --columns ${roles.join(',')} ` +
    `if it holds their minutes, or --columns ${roles.slice(0, -1).join(',')} if not; a number of a part of an hour must be exported as the minute when it begins`
  );
};

/** Words for what came of a transaction that may mean several statuses. */
const OUTCOME =
  /^(?:nok|notok|ko|sales|vendas|ventas|others?|outr[oa]s|otr[oa]s|null|unknown|processed|closed|expired|blocked|abandoned|chargebacks?)$/;

/**
 * A column of whole numbers beside those of statuses, whose name has a word for a status that none
 * of them has.
 */
export const unknownStatus: Question = (table) => {
  const { header, wide, telling, sample, asked } = table;
  if (wide.length === 0) return undefined;
  const isOfOther = (word: string) => {
    const status = statusOf(word);
    return status !== undefined && !wide.some((one) => one.status === status);
  };
  const isNew = (name: string) =>
    asked.statusWords?.has(wordKey(name)) !== true &&
    (OUTCOME.test(wordKey(name)) || wordsIn(name).some(isOfOther)) &&
    !isNoCount(name) &&
    !isShare(name);
  const column = telling.find((one) => isNew(header[one] ?? '') && shareOf(cellsOf({ sample }, one), isCount) === 1);
  if (column === undefined) return undefined;
  const name = named(table, column);
  return (
    `${JSON.stringify(name)} may hold counts of a status that is not known; ` +
    `say what it means in a file given by --status-map, as in "${name}: denied" or "${name}: ignore"`
  );
};
