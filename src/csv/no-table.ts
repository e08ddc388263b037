import { type Role, rankOf } from './header-names.ts';

/** Files that people give instead of a table, by their first bytes. */
const BYTES: [start: string, said: string][] = [
  ['\xd0\xcf\x11\xe0', 'is an old Excel workbook (.xls): save the sheet as CSV'],
  ['PAR1', 'is a Parquet file: export it as CSV'],
  ['ORC', 'is an ORC file: export it as CSV'],
  ['Obj\x01', 'is an Avro file: export it as CSV'],
  ['SQLite format 3', "is an SQLite database: export a query's result, as sqlite3 -header -csv does"],
  ['%PDF', 'is a PDF: export the table as CSV'],
  ['{\\rtf', 'is a text with fonts (RTF): save it as CSV'],
  ['\x89PNG', 'is a picture: export the table as CSV'],
  ['\xff\xd8\xff', 'is a picture: export the table as CSV'],
  ['BZh', 'is packed by bzip2: unpack it, or pack it by gzip or zstd'],
  ['\xfd7zX', 'is packed by xz: unpack it, or pack it by gzip or zstd'],
  ['7z\xbc\xaf', 'is a 7z archive: unpack it, or pack the table by gzip or zstd'],
  ['\xff\xfe\0\0', 'is in UTF-32: save it in UTF-8'],
];
/** Where a tar archive has its name, behind that of its first file, and a zip archive that of its own. */
const TAR_AT = 257;
const ZIP_AT = 30;

/** Says what a file is that holds no text, and what to do. */
export function noTextOf(start: Buffer): string | undefined {
  const text = start.toString('latin1', 0, 512);
  if (text.startsWith('ustar', TAR_AT)) return 'is a tar archive: unpack it, and give the table itself';
  if (text.startsWith('PK\x03\x04'))
    return /^(?:\[Content_Types\]|_rels|docProps|xl\/|mimetype)/.test(text.slice(ZIP_AT))
      ? 'is a workbook (.xlsx, .ods): save the sheet as CSV'
      : 'is a zip archive or a workbook (.xlsx): unpack it, or save the sheet as CSV';
  return BYTES.find(([bytes]) => text.startsWith(bytes))?.[1];
}

const POST = 'have new ones posted (docs/shippers.md)';
/** Texts that are no tables, by how they begin. */
const TEXTS: [start: RegExp, said: string][] = [
  [
    /^(?:<\?xml.*\s*)?(?:<\?mso.*\s*)?<(?:\w+:)?Workbook/,
    'is a workbook in XML: open it in a spreadsheet, and save the sheet as CSV',
  ],
  [
    /^(?:<table|<[!?a-z][\s\S]*<table)/i,
    'is a page of HTML with a table, as programs save it under .xls: open it in a spreadsheet, and save the sheet as CSV',
  ],
  [
    /^<[!?a-z]/i,
    'is a page of HTML or XML, perhaps an error message in place of the export; expected CSV. Download it again',
  ],
  [
    // Its first line may also be `transactions_total{status="denied"} 56 1796040000000`.
    /^# (?:HELP|TYPE) \w|^[a-zA-Z_:][\w:]*\{[^}]*\}\s[\d.eE+-]+(?:\s\d+)?(?![^\r\n])/,
    "is Prometheus's text format, which holds totals and no history: have Prometheus scrape it, " +
      'and export history as CSV by the query increase(...[1m]) at a step of 1m',
  ],
  [
    // `transactions,status=denied count=2i 1796040000000000000`
    /^[\w.-]+(?:,[\w.-]+=[^\s,]+)+ [\w.-]+=\S+(?: \d{10,19})?(?![^\r\n])/,
    `holds lines of InfluxDB; expected CSV. Export a query's result as CSV, or ${POST}`,
  ],
  [
    /^(?:[\w.-]+=(?:"[^"]*"|[^\s",;]*)(?:[ \t]+|(?![^\r\n]))){2,}/,
    `is logfmt, with names before all values; expected CSV. Convert it, as mlr --idkvp --ifs ' ' --ocsv unsparsify does, or ${POST}`,
  ],
  [/^- \w+:\s/, 'is YAML; expected CSV. Convert it, as yq -o=csv does, or export CSV'],
  [
    /^(?:(?:--|\/\*).*\s+)*(?:INSERT INTO|CREATE TABLE|DROP TABLE|BEGIN;|SET )/i,
    "is SQL; expected CSV. Run it, and export a query's result as CSV",
  ],
  [
    /^(?:MIME-Version|From|Received|Return-Path|Delivered-To|Message-ID): /i,
    'is a mail or a web archive: save the table in it as a file of its own',
  ],
  [
    /^.*\} =>(?: [\d.eE+-]+ @\[|[ \t]*[\r\n])/,
    'is an answer of promtool; expected CSV. Ask again with --format=json, and pass what jq makes of it',
  ],
  [/^CEF:\d\|/, `is a log in CEF; expected CSV. Export counts by minute and status as CSV, or ${POST}`],
  [
    /^(?:\*+ 1\. row \*+|-\[ RECORD 1 \])/,
    'has each cell on a line of its own; query again without \\G (MySQL) or \\x (psql), so that each row is one line',
  ],
];

/** Says what a text is that holds no table, and what to do. */
export function noTableOf(head: string): string | undefined {
  const text = head.replace(/^\ufeff/, '').trimStart();
  if (/^(?:\[\s*)?[[{]\s*"/.test(text)) return `is JSON; expected CSV. ${ofJson(text)}`;
  return TEXTS.find(([start]) => start.test(text))?.[1];
}

/** What jq would make of it. */
function ofJson(text: string): string {
  const convert = (query: string) =>
    `Convert it, as jq -r '${query} | @csv' does, or post new reports to /api/v1/transactions`;
  if (/"metric":\s?\{/.test(text) && /"values":\s?\[/.test(text))
    return convert(
      `${text.includes('"resultType"') ? '.data.result' : '.'}[] | .metric.status as $status | .values[] | [.[0], $status, .[1]]`,
    );
  if (/^\{\s*"(?:error|message|code|detail)"/i.test(text)) return 'It may be an error message in place of the export';
  const list = /^\{\s*"(\w+)"\s*:\s*\[\s*\{/.exec(text)?.[1];
  const each = list !== undefined ? `.${list}[] | ` : /^\[/.test(text) ? '.[] | ' : '';
  if (/^\[\s*\[/.test(text)) return convert('.[]');
  const names = [...text.slice(0, 2000).matchAll(/"([^"\\]+)"\s*:/g)].map(([, name = '']) => name);
  const named = (role: Role, other: string) => {
    const name = names.find((one) => rankOf(one, role) !== undefined) ?? other;
    return /^\w+$/.test(name) ? `.${name}` : `."${name}"`;
  };
  const time = named('time', 'timestamp');
  if (names.includes('counts'))
    return convert(`${each}${time} as $time | .counts | to_entries[] | [$time, .key, .value]`);
  return convert(`${each}[${time}, ${named('status', 'status')}, ${named('count', 'count')}]`);
}
