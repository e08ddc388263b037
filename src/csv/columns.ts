import { authCodeOf, isCommonCode } from '../domain/auth-codes.ts';
import type { Status } from '../domain/names.ts';
import { statusOf } from '../domain/status-words.ts';
import { MIDNIGHT, type TimeShape, timeShape } from './times.ts';

/** A column whose header names a status, an auth code or, as Grafana writes it, labels. */
export interface WideColumn {
  column: number;
  status?: Status;
  code?: string;
  labels: Readonly<Record<string, string>>;
}

/** Where a file has what. Columns are counted from 0. */
export interface Columns {
  /** The header as the file spells it. */
  header: readonly string[];
  /**
   * One column, or those whose cells make up a time together: a date and a clock, or a date, an
   * hour and perhaps a minute.
   */
  time: readonly number[];
  status?: number;
  code?: number;
  /** Undefined where each row is one transaction. */
  count?: number;
  wide: readonly WideColumn[];
  dimensions: readonly { label: string; column: number }[];
  /** Columns that nobody asked for, as people read them. */
  ignored: readonly string[];
  /**
   * Columns that nobody asked for and that tell one row from another, such as an acquirer: not
   * index columns.
   */
  telling: readonly number[];
}

export interface ColumnsAsked {
  /**
   * `{time: "when", count: "n"}`: role or its synonym -> header, or number of the column from 1 on;
   * `count: ''` for none.
   */
  columns?: Readonly<Record<string, string>>;
  /** Names of columns that become labels, or `all`. */
  dimensions?: readonly string[] | 'all';
  statusWords?: ReadonlyMap<string, Status | 'ignore'>;
}

type Role = 'time' | 'status' | 'code' | 'count';

/** Header names by role, as `headerKey` writes them, the likeliest first. */
const SYNONYMS: Record<Role, readonly string[]> = {
  time: `
    timestamp datetime time ts minute date when eventtime eventtimestamp transactiontime transactiontimestamp
    transactiondatetime createdat created creationtime occurredat transactiondate period bucket timebucket timeslot interval
    window windowstart start starttime at from epoch epochms unixtime unix unixtimestamp timestampms timestamputc timeutc
    utc utctime localtime logtime minutestart dateminute datehour dateandtime day hour clock x
    datahora dataehora datahorario horario hora data momento minuto instante dia periodo inicio
    fechahora fechayhora fecha
    zeitstempel zeitpunkt datumuhrzeit zeit uhrzeit datum
    horodatage dateheure heure`
    .trim()
    .split(/\s+/),
  status: `
    status state result outcome transactionstatus transactionstate txstatus txnstatus paymentstatus statusname statusdescription
    statusdesc transactionresult orderstatus decision situacao situacion estado estatus resultado statustransacao
    estadotransaccion ergebnis zustand statut etat resultat metric series name`
    .trim()
    .split(/\s+/),
  code: `
    authcode responsecode authresponsecode authorizationcode authorisationcode authorizationresponsecode respcode resultcode
    returncode isocode isoresponsecode actioncode declinecode reasoncode issuerresponsecode issuercode coderesponse code rc
    codigoresposta codigoderesposta codigoautorizacao codigodeautorizacao codigoretorno codigoderetorno codresposta codretorno
    codigorespuesta codigoderespuesta codigoautorizacion codigodeautorizacion codigo
    antwortcode codereponse codeautorisation de39 field39 bit39`
    .trim()
    .split(/\s+/),
  count: `
    count f1 f0 n qty quantity total volume cnt counts transactioncount transactionscount txcount txncount numtransactions
    nooftransactions numberoftransactions ntransactions transactions txns totalcount totaltransactions counttransactions sumcount
    sumn sumqty sumquantity countall countstar rows records recordcount events eventcount hits requests occurrences frequency
    freq size number num nocolumnname
    quantidade qtd qtde qtdtransacoes quantidadetransacoes quantidadedetransacoes contagem numerotransacoes transacoes
    totaltransacoes cantidad cant cantidadtransacciones cantidaddetransacciones conteo cuenta transacciones recuento
    anzahl anzahltransaktionen menge stuck nombre quantite effectif value sum`
    .trim()
    .split(/\s+/),
};

/**
 * What databases and data frames call a column without a name: `_c2`, `_col2`, `EXPR$1`,
 * `Expr1000`, `count_1`, `0`.
 */
const UNNAMED_COUNT = /^(?:[fc]\d{1,2}|col\d{1,2}|column\d{0,2}|expr\d{1,4}|count[a-z]*\d*|sum[a-z]*\d*|0)$/;
const INDEX = /^(?:|index|unnamed\d*|level\d*|row|rownum|rownumber|rn|rowid|line|lineno|idx|pos|no|nr|table)$/;
/** What is no count although its cells are whole numbers. */
const NO_COUNT =
  /id$|^id|amount|value|valor|price|preco|betrag|montant|monto|code|codigo|number|account|card|bin|pan|nsu|stan/;
/**
 * Words beside a status in the header of its column: `denied_count`, `Total approved`,
 * `sum(failed)`.
 */
const BESIDE_STATUS =
  /^(?:count|counts|total|sum|qty|qtd|qtde|quantity|quantidade|cantidad|anzahl|num|no|n|of|de|transactions?|transacoes|transacciones|tx|txns?|status)$/;

/** Only letters and digits, in lower case and without accents. */
export const headerKey = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/**
 * The names that a header may mean: whole, without what stands in brackets, and without the table
 * before it.
 */
function keysOf(name: string): string[] {
  const inBrackets = /^[^[\]]+\[([^\]]+)\]$/.exec(name)?.[1];
  const names = [name, name.replace(/[([{].*$/, ''), name.split('.').at(-1) ?? '', ...(inBrackets ? [inBrackets] : [])];
  return names.map(headerKey).filter((key, at) => at === 0 || key !== '');
}

/** How well a header fits a role: the place of its synonym, or undefined. */
function rankOf(name: string, role: Role): number | undefined {
  const ranks = keysOf(name).map((key) => SYNONYMS[role].indexOf(key));
  const best = Math.min(...ranks.filter((rank) => rank >= 0));
  if (best !== Number.POSITIVE_INFINITY) return best;
  return role === 'count' && keysOf(name).some((key) => UNNAMED_COUNT.test(key)) ? SYNONYMS.count.length : undefined;
}

/** The columns that a header may mean by a role, the likeliest first. */
const candidates = (header: readonly string[], role: Role): number[] =>
  header
    .map((name, column) => ({ column, rank: rankOf(name, role) }))
    .filter((one): one is { column: number; rank: number } => one.rank !== undefined)
    .sort((a, b) => a.rank - b.rank || a.column - b.column)
    .map(({ column }) => column);

/**
 * Finds the columns of a table by their names, and where these may mean several things by the first
 * rows.
 * @param sample the first rows under the header
 * @returns why it is no header, in words that follow "the header is ...;"
 */
export function findColumns(
  header: readonly string[],
  sample: readonly string[][],
  asked: ColumnsAsked,
): Columns | string {
  if (asked.columns === undefined && header.some((cell) => ['full', 'clock'].includes(timeShape(cell))))
    return 'it is a row, not a header: it holds a time';
  const chosen = chosenColumns(header, asked.columns ?? {});
  if (typeof chosen === 'string') return chosen;
  const time = chosen.time ?? timeColumns(header, sample, chosen.taken);
  if (time.length === 0) return 'no column is named as a time (timestamp, time, date, minute, datetime, ...)';
  const free = (column: number) => !time.includes(column) && !chosen.taken.has(column);
  const cellsOf = (column: number) => sample.map((cells) => cells[column] ?? '').filter((cell) => cell !== '');
  const isStatus = (cell: string) => statusOf(cell) !== undefined || asked.statusWords?.has(headerKey(cell)) === true;
  const named =
    chosen.status ?? bestBy(candidates(header, 'status').filter(free), (column) => shareOf(cellsOf(column), isStatus));
  // A name that nobody knows may stand over words that everybody knows.
  const status =
    named ?? onlyOne(header, (column) => free(column) && cellsOf(column).length > 0 && cellsOf(column).every(isStatus));
  const code =
    chosen.code ??
    bestBy(
      candidates(header, 'code').filter((column) => free(column) && column !== status),
      (column) => shareOf(cellsOf(column), (cell) => /^[0-9A-Za-z]{1,4}$/.test(cell)),
    );
  const wide =
    chosen.wide.length > 0 ? chosen.wide : status === undefined && code === undefined ? wideColumns(header, free) : [];
  if (status === undefined && code === undefined && wide.length === 0)
    return 'no column is named as a status (status, state, result, ...) or an auth code (auth_code, response_code, ...), and none is named by a status itself';
  const count =
    wide.length > 0 || chosen.count === 'none'
      ? undefined
      : (chosen.count ??
        bestBy(
          candidates(header, 'count').filter((column) => free(column) && column !== status && column !== code),
          (column) =>
            shareOf(cellsOf(column), (cell) => /^\d[\d., \u00a0\u202f'’]*$/.test(cell) && !/[.,]\d{2}$/.test(cell)),
        ));
  const used = new Set([...time, status, code, count, ...wide.map(({ column }) => column)]);
  return withRest({ header, time, status, code, count, wide }, used, asked);
}

const shareOf = (cells: readonly string[], is: (cell: string) => boolean): number =>
  cells.length === 0 ? 1 : cells.filter(is).length / cells.length;

/** The column of which something is true, if it is true of one alone. */
function onlyOne(header: readonly string[], is: (column: number) => boolean): number | undefined {
  const columns = header.map((_, column) => column).filter(is);
  return columns.length === 1 ? columns[0] : undefined;
}

/** The first of those that score best. */
function bestBy(columns: readonly number[], score: (column: number) => number): number | undefined {
  const scores = columns.map(score);
  return columns[scores.indexOf(Math.max(...scores))];
}

type Found = Pick<Columns, 'header' | 'time' | 'wide'> & Record<'status' | 'code' | 'count', number | undefined>;

function withRest(found: Found, used: ReadonlySet<number | undefined>, asked: ColumnsAsked): Columns | string {
  const { header, time, status, code, count, wide } = found;
  const others = header.map((_, column) => column).filter((column) => !used.has(column));
  const isIndex = (column: number) => keysOf(header[column] ?? '').some((key) => INDEX.test(key));
  const dimensions = dimensionsOf(header, others, isIndex, asked.dimensions ?? [], wide);
  if (typeof dimensions === 'string') return dimensions;
  const left = others.filter((column) => !dimensions.some((one) => one.column === column));
  return {
    header,
    time,
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(count !== undefined && { count }),
    wide,
    dimensions,
    ignored: left
      .filter((column) => header[column] !== '' || column < header.length - 1)
      .map((column) => headerText(header, column)),
    telling: left.filter((column) => !isIndex(column)),
  };
}

/** A header as a message names it. */
export const headerText = (header: readonly string[], column: number): string =>
  header[column] === '' || header[column] === undefined ? `column ${column + 1}` : header[column];

interface Chosen {
  time?: number[];
  status?: number;
  code?: number;
  count?: number | 'none';
  wide: WideColumn[];
  taken: Set<number>;
}

/** What the user said with `--columns`. */
function chosenColumns(header: readonly string[], columns: Readonly<Record<string, string>>): Chosen | string {
  const chosen: Chosen = { wide: [], taken: new Set() };
  for (const [left, right] of Object.entries(columns)) {
    const placed = placeOf(header, left, right);
    if (typeof placed === 'string') return placed;
    const { role, column } = placed;
    if (column === undefined) chosen.count = 'none';
    else if (role === 'time') chosen.time = [...(chosen.time ?? []), column];
    else if (role === 'status' || role === 'code' || role === 'count') chosen[role] = column;
    else chosen.wide.push({ column, ...role, labels: {} });
    if (column !== undefined) chosen.taken.add(column);
  }
  return chosen;
}

type AskedRole = Role | { status: Status } | { code: string };

function placeOf(
  header: readonly string[],
  left: string,
  right: string,
): { role: AskedRole; column?: number } | string {
  const role = roleNamed(left);
  if (role === undefined) {
    // The other way round.
    const swapped = roleNamed(right);
    if (swapped !== undefined && columnNamed(header, left) !== undefined)
      return { role: swapped, column: columnNamed(header, left) ?? 0 };
    return `--columns ${left}=${right}: ${left} is none of time, status, auth_code, count or a status`;
  }
  if (right === '' && role === 'count') return { role };
  const column = columnNamed(header, right);
  return column === undefined ? `--columns ${left}=${right}: there is no column ${right}` : { role, column };
}

function roleNamed(name: string): AskedRole | undefined {
  const key = headerKey(name);
  const role = (Object.keys(SYNONYMS) as Role[]).find((one) => one === key || SYNONYMS[one].includes(key));
  if (role !== undefined) return role;
  const status = statusOf(name);
  return status === undefined ? undefined : { status };
}

/** By its name, or by its number from 1 on. */
function columnNamed(header: readonly string[], name: string): number | undefined {
  const at = header.indexOf(name);
  const alike = at >= 0 ? at : header.findIndex((one) => headerKey(one) === headerKey(name) && headerKey(name) !== '');
  if (alike >= 0) return alike;
  const number = /^[1-9]\d{0,2}$/.test(name) ? Number(name) - 1 : -1;
  return number >= 0 && number < header.length ? number : undefined;
}

type CellShape = TimeShape | 'number';

function timeColumns(header: readonly string[], sample: readonly string[][], taken: ReadonlySet<number>): number[] {
  const named = candidates(header, 'time').filter((column) => !taken.has(column));
  const found = named.map((column) => ({ column, shape: shapeOf(column, sample) }));
  const first = (shape: CellShape) => found.find((one) => one.shape === shape)?.column;
  const numbered = (names: RegExp) =>
    found.find(
      ({ column, shape }) => shape === 'number' && keysOf(header[column] ?? '').some((key) => names.test(key)),
    );
  const [full, date, clock] = [first('full'), first('date'), first('clock')];
  if (full !== undefined) return [full];
  if (date !== undefined) {
    const hour = clock === undefined ? numbered(HOUR) : undefined;
    if (hour === undefined) return clock === undefined ? [date] : [date, clock];
    const minute = numbered(MINUTE);
    return [date, hour.column, ...(minute === undefined ? [] : [minute.column])];
  }
  const byContent = onlyOne(
    header,
    (column) => !taken.has(column) && shapeOf(column, sample) === 'full' && !isNumber(sample[0]?.[column]),
  );
  const any = byContent ?? clock ?? found[0]?.column;
  return any === undefined ? [] : [any];
}

const isNumber = (cell = ''): boolean => /^[\d.]+$/.test(cell);

const HOUR = /^(?:hour|hora|heure|stunde|hh|time)$/;
const MINUTE = /^(?:minute|minuto|min|mm)$/;

/** What most of a column's cells look like. */
function shapeOf(column: number, sample: readonly string[][]): CellShape {
  const shapes = sample
    .map((cells) => cells[column] ?? '')
    .filter((cell) => cell !== '')
    .slice(0, 50)
    .map((cell): CellShape => (/^\d{1,2}$/.test(cell) ? 'number' : timeShape(cell.replace(MIDNIGHT, ''))));
  const most = (shape: CellShape) => shapes.filter((one) => one === shape).length * 2 > shapes.length;
  return (['full', 'date', 'clock', 'number'] as const).find(most) ?? 'none';
}

function wideColumns(header: readonly string[], free: (column: number) => boolean): WideColumn[] {
  const statuses = header.flatMap((name, column): WideColumn[] => {
    const labels = labelsIn(name);
    const status = statusOf(labels.status ?? '') ?? statusOf(nameOf(name)) ?? statusOf(wordsOf(name));
    const { status: _, ...rest } = labels;
    return status !== undefined && free(column) ? [{ column, status, labels: rest }] : [];
  });
  const codes = header.flatMap((name, column): WideColumn[] => {
    const { auth_code: label, ...rest } = labelsIn(name);
    const named = label ?? codeIn(name);
    const code = authCodeOf(named ?? name);
    return free(column) && (named !== undefined || isCommonCode(code)) ? [{ column, code, labels: rest }] : [];
  });
  const isSure = codes.length > 1 || codes.some(({ column }) => /code/i.test(header[column] ?? ''));
  return isSure ? [...statuses, ...codes] : statuses;
}

/** The code in a header such as `code_51`, `Auth code 00` or `rc05`. */
function codeIn(name: string): string | undefined {
  const [, before = '', code] = /^(.*\D)(\d{1,2})$/.exec(name) ?? [];
  return SYNONYMS.code.includes(headerKey(before)) ? code : undefined;
}

/** `{status="denied", acquirer="acme"}` at the end of a header, as Grafana names a series. */
const labelsIn = (name: string): Record<string, string> =>
  Object.fromEntries(
    [...name.matchAll(/([a-zA-Z_]\w*)\s*[=:]~?\s*"([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]),
  );
const nameOf = (name: string): string => name.replace(/\{.*$/, '');
const wordsOf = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => !BESIDE_STATUS.test(word))
    .join('');

/** Labels that Prometheus, the rules or the counters themselves use. */
const RESERVED = [
  'status',
  'auth_code',
  'job',
  'instance',
  'window',
  'level',
  'service',
  'severity',
  'alertname',
  'signal',
  'le',
  'quantile',
  'source',
];

function dimensionsOf(
  header: readonly string[],
  others: readonly number[],
  isIndex: (column: number) => boolean,
  asked: readonly string[] | 'all',
  wide: readonly WideColumn[],
): Columns['dimensions'] | string {
  if (asked === 'all')
    return others
      .filter((column) => !isIndex(column))
      .map((column) => ({ label: labelFor(header[column] ?? ''), column }));
  const dimensions: { label: string; column: number }[] = [];
  for (const name of asked) {
    const column = columnNamed(header, name);
    const label = labelFor(name);
    if (RESERVED.includes(label)) return `--dimensions ${name}: ${label} is a label that the rules need themselves`;
    if (column === undefined && wide.some(({ labels }) => Object.hasOwn(labels, label))) continue;
    if (column === undefined || !others.includes(column))
      return `--dimensions ${name}: there is no ${column === undefined ? '' : 'other '}column ${name}`;
    dimensions.push({ label, column });
  }
  return dimensions;
}

/** A header as a label of Prometheus: `Card brand` is `card_brand`. */
function labelFor(name: string): string {
  const label = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .trim()
    .replaceAll(/[^a-zA-Z0-9_]+/g, '_')
    .toLowerCase();
  return /^[a-z_]/.test(label) ? label : `_${label}`;
}

/**
 * An ignored column whose cells are whole numbers, where each row would otherwise be one
 * transaction.
 */
export function likelyCount(
  { header, telling, count, wide }: Columns,
  sample: readonly string[][],
): string | undefined {
  if (count !== undefined || wide.length > 0) return undefined;
  const column = telling.find(
    (one) =>
      !NO_COUNT.test(headerKey(header[one] ?? '')) &&
      sample.length > 0 &&
      sample.every((cells) => /^\d{1,7}$/.test(cells[one] ?? '')),
  );
  return column === undefined ? undefined : headerText(header, column);
}
