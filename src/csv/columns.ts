import { APPROVED_CODES, authCodeOf, isCommonCode } from '../domain/auth-codes.ts';
import type { Status } from '../domain/names.ts';
import { statusOf, wordsIn } from '../domain/status-words.ts';
import { type SplitTime, timeColumns } from './time-columns.ts';
import { timeShape } from './times.ts';

/** A column whose header names a status, an auth code or, as Grafana writes it, labels. */
export interface WideColumn {
  column: number;
  status?: Status;
  code?: string;
  labels: Readonly<Record<string, string>>;
}

/** The role of each column of a file. Columns are counted from 0. */
export interface Columns {
  /** The header as the file spells it. */
  header: readonly string[];
  /** One column, or those whose cells make up a time together. */
  time: readonly number[];
  /** The way in which several columns make up a time. */
  split?: SplitTime | undefined;
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
    timestamp datetime time ts minute date dt when eventtime eventtimestamp transactiontime transactiontimestamp
    transactiondatetime createdat created creationtime occurredat transactiondate period bucket timebucket timeslot interval
    window windowstart start starttime at from epoch epochms unixtime unix unixtimestamp timestampms timestamputc timeutc
    utc utctime localtime logtime minutestart dateminute datehour dateandtime day hour clock x
    datahora dataehora dthr dthora dh datahorario horario hora data momento minuto instante dia periodo inicio
    fechahora fechayhora fecha
    zeitstempel zeitpunkt datumuhrzeit zeit uhrzeit datum
    horodatage dateheure dateetheure heure dataora dataeora ora tijd tijdstip`
    .trim()
    .split(/\s+/),
  status: `
    status state result outcome transactionstatus transactionstate txstatus txnstatus paymentstatus statusname statusdescription
    statusdesc transactionresult orderstatus decision situacao situacion estado estatus resultado statustransacao
    estadotransaccion ergebnis zustand statut etat resultat stato esito metric series name`
    .trim()
    .split(/\s+/),
  code: `
    authcode responsecode authresponsecode authorizationcode authorisationcode authorizationresponsecode respcode resultcode
    returncode isocode isoresponsecode actioncode declinecode reasoncode issuerresponsecode issuercode coderesponse code rc
    codigoresposta codigoderesposta codigoautorizacao codigodeautorizacao codigoretorno codigoderetorno codresposta codretorno
    codigorespuesta codigoderespuesta codigoautorizacion codigodeautorizacion codigo
    codret cdretorno cdresposta respcd rspcode rsp codicerisposta cod cd
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
    anzahl anzahltransaktionen menge stuck stuckzahl nombre numero quantite quantita effectif aantal antal qt value sum`
    .trim()
    .split(/\s+/),
};

/**
 * Names that databases and data frames give a column without a name: `_c2`, `_col2`, `EXPR$1`,
 * `Expr1000`, `count_1`, `0`.
 */
const UNNAMED_COUNT = /^(?:[fc]\d{1,2}|col\d{1,2}|column\d{0,2}|expr\d{1,4}|count[a-z]*\d*|sum[a-z]*\d*|0)$/;
const INDEX = /^(?:|index|unnamed\d*|level\d*|row|rownum|rownumber|rn|rowid|line|lineno|idx|pos|no|nr|table)$/;
/** Names of columns that are no counts although their cells are whole numbers. */
const NO_COUNT =
  /id$|^id|amount|value|valor|price|preco|betrag|montant|monto|code|codigo|number|account|card|bin|pan|nsu|stan/;
/**
 * Words beside a status in the header of its column: `denied_count`, `Total approved`,
 * `sum(failed)`.
 */
const BESIDE_STATUS =
  /^(?:count|counts|countif|if|is|total|sum|values?|qty|qtd|qtde|quantity|quantidade|cantidad|anzahl|num|no|n|of|de|per|min|minute|status)$/;

/** Words of a header that say nothing of its role, whatever stands beside them. */
const BESIDE_ROLE = new Set(
  `of the de da do das dos del della di des du la le les el los las der die den von van by
  transaction transactions txn txns tx trx transacao transacoes transaccion transacciones transazioni transaktion
  transaktionen payment payments pagamento pagamentos pago pagos doc docs
  keyword raw descending ascending top values ds nr nm
  host gateway issuer processor emissor emisor iso iso8583`
    .trim()
    .split(/\s+/),
);

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
  const names = [
    name,
    name.replace(/[([{#].*$| per .*$/, ''),
    name.split('.').at(-1) ?? '',
    ...(inBrackets ? [inBrackets] : []),
  ];
  return names.map(headerKey).filter((key, at) => at === 0 || key !== '');
}

/** A header without the words that say nothing: `Número de transacciones` is `numero`. */
const coreOf = (name: string): string =>
  wordsIn(name.replace(/ per .*$/, ''))
    .filter((word) => !BESIDE_ROLE.has(word))
    .join('');

/** The rank of a header in a role: the place of its synonym, or undefined. */
function rankOf(name: string, role: Role): number | undefined {
  const ranks = keysOf(name).map((key) => SYNONYMS[role].indexOf(key));
  const best = Math.min(...ranks.filter((rank) => rank >= 0));
  if (best !== Number.POSITIVE_INFINITY) return best;
  const core = SYNONYMS[role].indexOf(coreOf(name));
  if (core >= 0) return SYNONYMS[role].length + core;
  return role === 'count' && keysOf(name).some((key) => UNNAMED_COUNT.test(key))
    ? 2 * SYNONYMS.count.length
    : undefined;
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
    return byContent([[...header], ...sample], asked) ?? 'it is a row, not a header: it holds a time';
  const chosen = chosenColumns(header, asked.columns ?? {});
  if (typeof chosen === 'string') return chosen;
  const named = candidates(header, 'time').filter((column) => !chosen.taken.has(column));
  const { time, split } = chosen.time
    ? { time: chosen.time, split: undefined }
    : timeColumns(header, sample, named, chosen.taken);
  if (time.length === 0) return 'no column is named as a time (timestamp, time, date, minute, datetime, ...)';
  const free = (column: number) => !time.includes(column) && !chosen.taken.has(column);
  const table = { header, sample, free, asked };
  const allWide = wideColumns(header, free);
  const { status, code } = keyColumns(table, chosen, allWide.length > 1);
  const isLong = status !== undefined || code !== undefined;
  const wide = chosen.wide.length > 0 ? chosen.wide : isLong ? [] : allWide;
  if (!isLong && wide.length === 0)
    return 'no column is named as a status (status, state, result, ...) or an auth code (auth_code, response_code, ...), and none is named by a status itself';
  const isNeeded = wide.length === 0 && chosen.count !== 'none';
  const count =
    typeof chosen.count === 'number' ? chosen.count : isNeeded ? countColumn(table, time, [status, code]) : undefined;
  const twin =
    count === undefined ? -1 : header.findIndex((name, column) => column !== count && name === header[count]);
  if (twin >= 0 && free(twin) && header[twin] !== '' && chosen.count === undefined)
    return `the column ${header[twin]} is there twice, so say which is the count by its number: --columns count=${(count ?? 0) + 1} or count=${twin + 1}`;
  const used = new Set([...time, status, code, count, ...wide.map(({ column }) => column)]);
  return withRest({ header, time, split, status, code, count, wide }, used, asked);
}

interface Sampled {
  header: readonly string[];
  sample: readonly string[][];
  /** True for a column that may still be taken. */
  free: (column: number) => boolean;
  asked: ColumnsAsked;
}

const cellsOf = ({ sample }: Pick<Sampled, 'sample'>, column: number): string[] =>
  sample.map((cells) => cells[column] ?? '').filter((cell) => cell !== '');

/** Finds the columns of the status and the auth code of a row. */
function keyColumns(table: Sampled, chosen: Chosen, mayBeWide: boolean): { status?: number; code?: number } {
  const { header, free, asked } = table;
  const isStatus = (cell: string) =>
    statusOf(seriesLabels(cell).status ?? cell) !== undefined || asked.statusWords?.has(headerKey(cell)) === true;
  const isCode = (cell: string) => isCommonCode(codeOf(cell));
  const statusShare = (column: number) => shareOf(cellsOf(table, column), isStatus);
  const allAre = (column: number, is: (cell: string) => boolean) =>
    free(column) && cellsOf(table, column).length > 0 && cellsOf(table, column).every(is);
  const named = bestBy(candidates(header, 'status').filter(free), statusShare);
  const isNamed = named !== undefined && (statusShare(named) > 0 || !(mayBeWide || allAre(named, isCode)));
  // A name that nobody knows may stand over words that everybody knows.
  const byWords = onlyOne(header, (column) => allAre(column, isStatus));
  const best = isNamed && statusShare(named) > 0 ? named : (byWords ?? (isNamed ? named : undefined));
  const forStatus = chosen.status ?? best;
  const byName = bestBy(
    candidates(header, 'code').filter((column) => free(column) && column !== forStatus),
    (column) => shareOf(cellsOf(table, column), (cell) => /^[0-9A-Za-z]{1,4}$/.test(cell)),
  );
  const code =
    chosen.code ?? byName ?? (forStatus === undefined && !mayBeWide ? codesByContent(table, isCode) : undefined);
  const isWeak = forStatus !== chosen.status && forStatus !== undefined && statusShare(forStatus) === 0;
  // A column called "name" beside one of auth codes is no status.
  const status = isWeak && code !== undefined && code !== forStatus ? undefined : forStatus;
  return { ...(status !== undefined && { status }), ...(code !== undefined && { code }) };
}

/** The only column of common codes, an approval among them, that is not named as a count. */
const codesByContent = (table: Sampled, isCode: (cell: string) => boolean): number | undefined =>
  onlyOne(table.header, (column) => {
    const cells = cellsOf(table, column);
    const isApproval = (cell: string) => APPROVED_CODES.includes(codeOf(cell));
    const isFree = table.free(column) && rankOf(table.header[column] ?? '', 'count') === undefined;
    return isFree && cells.length > 0 && cells.every(isCode) && cells.some(isApproval);
  });

const WHOLE = /^\d[\d., \u00a0\u202f'’]*$/;
const isWhole = (cell: string): boolean => WHOLE.test(cell) && !/[.,]\d{2}$/.test(cell);

/**
 * The column of counts: by its name, or the only one of whole numbers where rows look counted
 * by the minute.
 */
function countColumn(
  table: Sampled,
  time: readonly number[],
  keys: readonly (number | undefined)[],
): number | undefined {
  const { header, free } = table;
  const isFree = (column: number) => free(column) && !keys.includes(column);
  const wholeShare = (column: number) => shareOf(cellsOf(table, column), isWhole);
  const named = bestBy(candidates(header, 'count').filter(isFree), wholeShare);
  const counted = looksCounted(table.sample, time, keys);
  // Money beside a transaction may be called "total" or "value" too.
  if (named !== undefined && (counted || !isMoney(cellsOf(table, named)))) return named;
  if (!counted) return undefined;
  return onlyOne(
    header,
    (column) => isFree(column) && isVarying(table.sample, column) && !NO_COUNT.test(headerKey(header[column] ?? '')),
  );
}

const isMoney = (cells: readonly string[]): boolean =>
  shareOf(cells, (cell) => /^\d[\d.,]*[.,]\d{2}$/.test(cell)) > 0.5 && cells.some((cell) => !cell.endsWith('00'));

/** Tells counts from row numbers, which never come again, and from numbers that stay the same. */
function isVarying(sample: readonly string[][], column: number): boolean {
  const cells = cellsOf({ sample }, column);
  const different = new Set(cells).size;
  return cells.length > 0 && cells.every((cell) => /^\d{1,7}$/.test(cell)) && different > 1 && different < cells.length;
}

const ENOUGH_ROWS = 10;

/** True where each row has a whole minute and key of its own, as the rows of GROUP BY have. */
function looksCounted(
  sample: readonly string[][],
  time: readonly number[],
  keys: readonly (number | undefined)[],
): boolean {
  if (sample.length < ENOUGH_ROWS || time.length === 0) return false;
  const columns = [...time, ...keys].filter((column) => column !== undefined);
  const texts = new Set(sample.map((cells) => columns.map((column) => cells[column]).join('\0')));
  const hasSeconds = sample.some((cells) => /\d:\d{2}:(?!00(?:\D|$))\d{2}/.test(cells[time.at(-1) ?? 0] ?? ''));
  return texts.size === sample.length && !hasSeconds;
}

/** The columns of a table without a header, where its cells leave no doubt. */
function byContent(rows: readonly string[][], asked: ColumnsAsked): Columns | undefined {
  const header = (rows[0] ?? []).map(() => '');
  const table: Sampled = { header, sample: rows, free: () => true, asked };
  const { time } = timeColumns(header, rows, [], new Set());
  if (time.length !== 1 || rows.some((cells) => timeShape(cells[time[0] ?? 0] ?? '') !== 'full')) return undefined;
  table.free = (column) => !time.includes(column);
  const { status, code } = keyColumns(table, { wide: [], taken: new Set() }, false);
  const key = status ?? code;
  if (key === undefined) return undefined;
  const numbers = header
    .map((_, column) => column)
    .filter((column) => table.free(column) && column !== key && shareOf(cellsOf(table, column), isWhole) === 1);
  if (numbers.length > 1) return undefined;
  const [count] = numbers;
  return withRest(
    {
      header: rows[0] ?? [],
      time,
      split: undefined,
      status,
      code: status === undefined ? code : undefined,
      count,
      wide: [],
    },
    new Set([...time, key, count]),
    asked,
  ) as Columns;
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

type Found = Pick<Columns, 'header' | 'time' | 'split' | 'wide'> &
  Record<'status' | 'code' | 'count', number | undefined>;

function withRest(found: Found, used: ReadonlySet<number | undefined>, asked: ColumnsAsked): Columns | string {
  const { header, time, split, status, code, count, wide } = found;
  const others = header.map((_, column) => column).filter((column) => !used.has(column));
  const isIndex = (column: number) => keysOf(header[column] ?? '').some((key) => INDEX.test(key));
  const dimensions = dimensionsOf(header, others, isIndex, asked.dimensions ?? [], wide);
  if (typeof dimensions === 'string') return dimensions;
  const left = others.filter((column) => !dimensions.some((one) => one.column === column));
  return {
    header,
    time,
    ...(split !== undefined && { split }),
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

/** The columns that the user named with `--columns`. */
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

/** The column of a name in the header, or of a number from 1 on. */
function columnNamed(header: readonly string[], name: string): number | undefined {
  const at = header.indexOf(name);
  const alike = at >= 0 ? at : header.findIndex((one) => headerKey(one) === headerKey(name) && headerKey(name) !== '');
  if (alike >= 0) return alike;
  const number = /^[1-9]\d{0,2}$/.test(name) ? Number(name) - 1 : -1;
  return number >= 0 && number < header.length ? number : undefined;
}

function wideColumns(header: readonly string[], free: (column: number) => boolean): WideColumn[] {
  const statuses = header.flatMap((name, column): WideColumn[] => {
    const labels = seriesLabels(name);
    const status = statusOf(labels.status ?? '') ?? statusOf(nameOf(name)) ?? statusOf(wordsOf(name));
    const { status: _, ...rest } = labels;
    return status !== undefined && free(column) ? [{ column, status, labels: rest }] : [];
  });
  const codes = header.flatMap((name, column): WideColumn[] => {
    const { auth_code: label, ...rest } = seriesLabels(name);
    const named = label ?? codeIn(name);
    const code = authCodeOf(named ?? codeBeside(name) ?? name);
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

/** The code in a cell: `51`, `"51"` as spreadsheets keep it, `RC51`, `51 - Insufficient funds`. */
export function codeOf(text: string): string {
  const bare = /^="(.*)"$/.exec(text)?.[1] ?? text.replace(/^'/, '').replace(/^(\d{1,2}),0+$/, '$1');
  if (/^\w{1,3}$/.test(bare)) return authCodeOf(bare);
  const meant = /^(\w{1,4})\s?(?:[-–:(]|\s)\s?\p{L}/u.exec(bare)?.[1];
  return authCodeOf(seriesLabels(bare).auth_code ?? codeIn(bare) ?? meant ?? bare);
}

/** The code in a header such as `51_count`, `Sum of code 51` or `51 - Insufficient funds`. */
function codeBeside(name: string): string | undefined {
  const meant = /^"?(\d{1,2})"?\s?[-–:]\s?\p{L}/u.exec(name)?.[1];
  if (meant !== undefined) return meant;
  const words = wordsIn(name).filter((word) => !BESIDE_STATUS.test(word) && !SYNONYMS.code.includes(word));
  const [code = ''] = words;
  return words.length === 1 && /^c?\d{1,2}$/.test(code) ? code.replace('c', '') : undefined;
}

/**
 * Labels as Grafana, Prometheus and Datadog write them in the name of a series:
 * `{status="denied", acquirer="acme"}`, `{status:denied}`.
 */
export const seriesLabels = (name: string): Record<string, string> =>
  /[={]/.test(name)
    ? Object.fromEntries(
        [...name.matchAll(/([a-zA-Z_]\w*)\s*(?:=~?|:)\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))/g)].map(
          ([, label = '', ...values]) => [label, values.find((value) => value !== undefined) ?? ''],
        ),
      )
    : {};
const nameOf = (name: string): string => name.replace(/\{.*$/, '');
const wordsOf = (name: string): string =>
  wordsIn(name)
    .filter((word) => !BESIDE_STATUS.test(word))
    .join(' ');

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
  { header, telling, time, status, code, count, wide }: Columns,
  sample: readonly string[][],
): string | undefined {
  if (count !== undefined || wide.length > 0) return undefined;
  const counted = looksCounted(sample, time, [status, code]);
  const column = telling.find(
    (one) =>
      sample.length > 0 &&
      sample.every((cells) => /^\d{1,7}$/.test(cells[one] ?? '')) &&
      (!NO_COUNT.test(headerKey(header[one] ?? '')) || (counted && isVarying(sample, one))),
  );
  return column === undefined ? undefined : headerText(header, column);
}
