import { wordsIn } from '../domain/status-words.ts';

export type Role = 'time' | 'status' | 'code' | 'count';

/** Header names by role, as `headerKey` writes them, the likeliest first. */
export const SYNONYMS: Record<Role, readonly string[]> = {
  time: `
    timestamp datetime time ts minute date dt yyyymmddhh yyyymmddhhmm yyyymmddhhmmss when eventtime eventtimestamp transactiontime transactiontimestamp
    transactiondatetime createdat created creationtime occurredat transactiondate period bucket timebucket timeslot interval
    window windowstart start starttime at from von desde epoch epochms unixtime unix unixtimestamp timestampms timestamputc timeutc
    utc utctime localtime logtime de7 de12 minutestart dateminute datehour dateandtime day hour clock x
    datahora dataehora dthr dthora dh datahorario horario hora data momento minuto instante dia periodo inicio
    fechahora fechayhora fecha
    zeitstempel zeitpunkt datumuhrzeit zeit uhrzeit datum
    horodatage dateheure dateetheure heure dataora dataeora ora tijd tijdstip dat tim
    czas godzina tarih saat дата время 日時 日付 時刻 时间 日期`
    .trim()
    .split(/\s+/),
  status: `
    status state result outcome transactionstatus transactionstate txstatus txnstatus paymentstatus statusname statusdescription
    statusdesc transactionresult orderstatus decision situacao situacion estado estatus resultado statustransacao
    estadotransaccion ergebnis zustand statut etat resultat stato esito durum статус результат 状態 状态 結果 结果 ステータス
    response responsetext responsemessage responsedescription metric measurenames series name`
    .trim()
    .split(/\s+/),
  code: `
    authcode responsecode authresponsecode authorizationcode authorisationcode authorizationresponsecode respcode resultcode
    returncode isocode isoresponsecode actioncode declinecode reasoncode issuerresponsecode issuercode coderesponse code rc
    codigoresposta codigoderesposta codigoautorizacao codigodeautorizacao codigoretorno codigoderetorno codresposta codretorno
    codigorespuesta codigoderespuesta codigoautorizacion codigodeautorizacion codigo
    codret cdretorno cdresposta respcd respcde rspcode rsp codicerisposta cod cd
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
    anzahl anzahltransaktionen menge stuck stuckzahl len nombre numero quantite quantita effectif aantal antal qt liczba ilosc adet количество 件数 数量 笔数 value measurevalues sum`
    .trim()
    .split(/\s+/),
};

/**
 * Names that databases and data frames give a column without a name: `_c2`, `_col2`, `EXPR$1`,
 * `Expr1000`, `count_1`, `0`.
 */
const UNNAMED_COUNT = /^(?:[fc]\d{1,2}|col\d{1,2}|column\d{0,2}|expr\d{1,4}|count[a-z]*\d*|sum[a-z]*\d*|0)$/;
/** What counts: `dc(id)` of Splunk, `uniq(id)` of ClickHouse, `id (Count)` of QuickSight. */
const COUNTING =
  /^(?:dc|uniq\w*|n?unique|cardinality|value_count|approx_\w+|count\w*)\s?\(|\((?:distinct )?count(?: distinct)?\)$/i;
export const isCounting = (name: string): boolean => COUNTING.test(name);
const INDEX = /^(?:|index|unnamed\d*|level\d*|row|rownum|rownumber|rn|rowid|line|lineno|idx|pos|no|nr|table)$/;

/** Words of a header that say nothing of its role, whatever stands beside them. */
const BESIDE_ROLE = new Set(
  `of the de da do das dos del della di des du la le les el los las der die den von van by
  transaction transactions txn txns tx trx transacao transacoes transaccion transacciones transazioni transaktion
  transaktionen transactie transacties transaccion operacion operaciones payment payments pagamento pagamentos pago pagos doc docs
  venda vendas compra compras sale sales purchase purchases vente ventes verkauf
  keyword raw descending ascending top values ds nr nm
  transmission host gateway issuer processor emissor emisor iso iso8583 tran new to final current`
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
export const coreOf = (name: string): string =>
  wordsIn(name.replace(/ per .*$|^top \d+ /i, ''))
    .filter((word) => !BESIDE_ROLE.has(word))
    .join('');

/** `Nº de transacciones`, `No. of payments`. */
const NUMBER_OF = /^n(?:o|r|ro|um)$/;
/** Words that may stand beside a time in its name: `beginTimeSeconds`, `Date hour and minute`. */
const BESIDE_TIME = new Set([
  'begin',
  'beginning',
  'creation',
  'and',
  'seconds',
  's',
  'ms',
  'event',
  'utc',
  'gmt',
  'local',
  'e',
  'y',
  'und',
  'et',
]);

const isMadeOfTimes = (name: string): boolean => {
  const words = wordsIn(name.replace(/\(.*$/, '')).filter((word) => !BESIDE_ROLE.has(word));
  return words.some((word) => isTime(word)) && words.every((word) => isTime(word) || BESIDE_TIME.has(word));
};
const isTime = (word: string): boolean => SYNONYMS.time.includes(word) && !BESIDE_TIME.has(word);

const MONEY = /^(?:amount|amt|valor|price|preco|betrag|importe|monto|montant|gross|fee|brl|usd|eur|gbp)$/;
const NOT_OBSERVED =
  /^(?:expected|forecast|predicted|budget|target|baseline|previous|yesterday|avg|average|mean|median|max|std|stddev)$/;
/** True for `sum(amount)` and `count_expected`, and not for `count of amount`. */
const isOtherMeasure = (name: string): boolean => {
  const words = wordsIn(name);
  const isMoney = words.some((word) => MONEY.test(word)) && !isCounting(name) && !words[0]?.startsWith('count');
  return (isMoney || words.some((word) => NOT_OBSERVED.test(word))) && !SYNONYMS.count.includes(headerKey(name));
};

/** The rank of a header in a role: the place of its synonym, or undefined. */
export function rankOf(name: string, role: Role): number | undefined {
  if (role === 'count' && isOtherMeasure(name)) return undefined;
  const ranks = keysOf(name).map((key) => SYNONYMS[role].indexOf(key));
  const best = Math.min(...ranks.filter((rank) => rank >= 0));
  if (best !== Number.POSITIVE_INFINITY) return best;
  const core = SYNONYMS[role].indexOf(coreOf(name));
  if (core >= 0) return SYNONYMS[role].length + core;
  if (role === 'time' && isMadeOfTimes(name)) return 2 * SYNONYMS.time.length;
  if (role === 'count' && NUMBER_OF.test(coreOf(name)) && wordsIn(name).length > 1) return 2 * SYNONYMS.count.length;
  return role === 'count' && (isCounting(name) || keysOf(name).some((key) => UNNAMED_COUNT.test(key)))
    ? 2 * SYNONYMS.count.length
    : undefined;
}

/** The columns that a header may mean by a role, the likeliest first. */
export const candidates = (header: readonly string[], role: Role): number[] =>
  header
    .map((name, column) => ({ column, rank: rankOf(name, role) }))
    .filter((one): one is { column: number; rank: number } => one.rank !== undefined)
    .sort((a, b) => a.rank - b.rank || a.column - b.column)
    .map(({ column }) => column);

/** True for names of row numbers, and for none at all. */
export const isIndexName = (name: string): boolean => keysOf(name).some((key) => INDEX.test(key));

/** A header as a message names it. */
export const headerText = (header: readonly string[], column: number): string =>
  header[column] === '' || header[column] === undefined ? `column ${column + 1}` : header[column];

/** The column of a name in the header, or of a number from 1 on. */
export function columnNamed(header: readonly string[], name: string): number | undefined {
  const at = header.indexOf(name);
  const alike = at >= 0 ? at : header.findIndex((one) => headerKey(one) === headerKey(name) && headerKey(name) !== '');
  if (alike >= 0) return alike;
  const number = /^[1-9]\d{0,2}$/.test(name) ? Number(name) - 1 : -1;
  return number >= 0 && number < header.length ? number : undefined;
}
