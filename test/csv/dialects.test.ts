import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type History, historyMinutes } from '../../src/csv/files.ts';
import { minuteLines, minutesOf, problemOf, readTexts } from '../support/read-csv.ts';
import { tempDir } from '../support/temp-dir.ts';

const MINUTES = ['2026-11-21T12:00 approved=1050 denied=6', '2026-11-21T12:01 approved=116 denied=7'];
const table = (header: string, times: [string, string], [approved, denied] = ['approved', 'denied'], big = '1050') =>
  `${header}\n${[
    [times[0], approved, big],
    [times[0], denied, '6'],
    [times[1], approved, '116'],
    [times[1], denied, '7'],
  ]
    .map((cells) => cells.join(/[;\t|]/.exec(header)?.[0] ?? ','))
    .join('\n')}\n`;
const PLAIN: [string, string] = ['2026-11-21 12:00:00', '2026-11-21 12:01:00'];
const utf16 = (text: string, big = false) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
/** `zstd -c` of the plain table. */
const ZSTD = Buffer.from(
  'KLUv/QRYhQIAQsQOFKBVB5T3OhXLx/+G/d2RpIyuXsEDQ/gLIk1LkQMfkRaMaO2gbWyTB57kJyWdY9djA7q3Zx02ddapShsGAEHIgKg6IWwA6wKFcCyfggLtgdzp',
  'base64',
);

const textFile = async (text: string) => {
  const file = join(await tempDir(), 'file');
  await writeFile(file, text);
  return file;
};
const profile = async (text: string) => ({ profile: await textFile(text) });

describe('tables as other programs write them', () => {
  it.each<[string, string | Buffer, object?]>([
    ['a semicolon', table('timestamp;status;count', PLAIN)],
    ['a tab', table('Timestamp\tState\tQty', PLAIN)],
    ['a pipe', table('time|result|n', PLAIN)],
    ['a sep= line', `sep=;\r\n${table('timestamp;status;count', PLAIN)}`],
    ['a BOM and CRLF', `\ufeff${table('timestamp,status,count', PLAIN).replaceAll('\n', '\r\n')}`],
    ['UTF-16, little end first', utf16(table('timestamp\tstatus\tcount', PLAIN))],
    ['UTF-16, big end first', utf16(table('timestamp\tstatus\tcount', PLAIN), true)],
    ['UTF-16 without a mark', Buffer.from(table('timestamp,status,count', PLAIN), 'utf16le')],
    ['the code page of Windows', Buffer.from(table('Zeit;Status;Stück', PLAIN), 'latin1')],
    ['gzip', gzipSync(table('timestamp,status,count', PLAIN))],
    ['gzip in gzip', gzipSync(gzipSync(table('timestamp,status,count', PLAIN)))],
    [
      'CloudWatch, whose settings stand under the header',
      'Label,approved,denied\nStatistic,Sum,Sum\nRegion,a,a\nPeriod,60,60\n2026/11/21 12:00:00,1050,6\n2026/11/21 12:01:00,116,7\n',
    ],
    ['the hour in ten digits beside a minute', table('hour;minute;status;count', ['2026112112;0', '2026112112;1'])],
    [
      'months by name',
      table('Year;Quarter;Month;Day;Hour;Minute;Status;Count', [
        '2026;Qtr 4;November;21;12;0',
        '2026;Trim 4;novembro;21;12;1',
      ]),
    ],
    [
      "Tableau's names of measures",
      table('Minute,Measure Names,Measure Values', PLAIN, ['Count of Approved', 'CNTD(Denied)']),
    ],
    ['digits of a time without a header', table('', ['20261121120000', '20261121120100']).slice(1)],
    [
      'a zone behind a clock of twelve hours',
      table('time;status;count', [
        '21-NOV-2026 09.00.00.000000 AM AMERICA/SAO_PAULO',
        '21-NOV-2026 09.01.00 AM America/Sao_Paulo',
      ]),
    ],
    [
      'a percentage before the count',
      table('minute,status,count_rate,n', PLAIN).replaceAll(/(d),(\d+)$/gm, '$1,50,$2'),
    ],
    ['a database without names', table('minute,status,f0_', ['2026-11-21 12:00:00 UTC', '2026-11-21 12:01:00+00'])],
    ['a time zone in the header', table('time (UTC),status,COUNT(*)', PLAIN)],
    [
      'a date that ends with midnight beside a clock',
      table('date;time;status;count', ['11/21/2026 12:00:00 AM;12:00', '11/21/2026 12:00:00 AM;12:01']),
    ],
    [
      'the end of an interval before its begin',
      table('bis;von;Status;Anzahl', ['2026-11-21 12:01;2026-11-21 12:00', '2026-11-21 12:02;2026-11-21 12:01']),
    ],
    ['carets', table('minute;status;count', PLAIN).replaceAll(';', '^')],
    ['a count named by QuickSight', table('minute,status,id (Count)', PLAIN)],
    ['the clock before the date', table('minute,status,count', ['12:00 21/11/2026', '12:01 21/11/2026'])],
    ['date and clock without a header', table('', ['2026-11-21,12:00', '2026-11-21,12:01']).slice(1)],
    ['an unknown name over times and words', table('when it was,how it went,count', PLAIN)],
    [
      'Portuguese',
      table('Data/Hora;Situação;Quantidade', ['21/11/2026 12:00', '21/11/2026 12:01'], ['APROVADA', 'NEGADA'], '1.050'),
    ],
    [
      'Spanish',
      table('Fecha;Estado;Cantidad', ['21/11/2026 12:00', '21/11/2026 12:01'], ['Aprobada', 'Rechazada'], '1.050'),
    ],
    [
      'German',
      table('Zeit;Status;Anzahl', ['21.11.2026 12:00', '21.11.2026 12:01'], ['genehmigt', 'abgelehnt'], '1.050'),
    ],
    [
      'American',
      table('Time,Status,Count', ['11/21/2026 12:00 PM', '11/21/2026 12:01 PM'], ['Approved', 'Declined'], '"1,050"'),
    ],
    ['a space in thousands', table('time;status;count', PLAIN, undefined, '1 050')],
    ['decimals', table('time,status,count', PLAIN, undefined, '1050.0')],
    ['month names', table('time;status;count', ['Nov 21, 2026 @ 12:00:00.000', '21-Nov-2026 12:01'])],
    [
      "a web server's log, and date",
      table('time;status;count', ['21/Nov/2026:12:00:00 +0000', 'Sat Nov 21 12:01:00 UTC 2026']),
    ],
    ['slashes and the year first', table('date,status,count', ['2026/11/21 12:00', '2026/11/21 12:01'])],
    ['epoch seconds', table('epoch,status,count', ['1795262400', '1795262460'])],
    ['epoch milliseconds', table('time,status,count', ['1795262400000', '1795262460000'])],
    ['epoch microseconds', table('time,status,count', ['1795262400000000', '1795262460000000'])],
    ['epoch nanoseconds', table('time,status,count', ['1795262400000000000', '1795262460000000000'])],
    ['date and time apart', table('Date,Time,Status,Count', ['2026-11-21,12:00', '2026-11-21,12:01'])],
    ['date, hour and minute', table('date,hour,minute,status,count', ['2026-11-21,12,0', '2026-11-21,12,1'])],
    [
      'AM and PM in a column of their own',
      table('date;time;half;status;count', ['2026-11-21;12:00;PM', '2026-11-21;12:01;pm']),
    ],
    [
      'a clock beside year, month and day',
      table('Year;Month;Day;Time;Status;Count', ['2026;November;21;12:00 PM', '2026;November;21;12:01 PM']),
    ],
    [
      'ClickHouse, with numbers of rows',
      `   ┌─minute─┬─status─┬─count─┐\n${table('| | |', PLAIN)
        .split('\n')
        .slice(1, 5)
        .map((row, at) => `${at + 1}. │ ${row.replaceAll('|', ' │ ')} │`)
        .join('\n')}\n   └────┴────┴───┘\n`,
    ],
    [
      'DuckDB, with its size',
      `┌────┬────┬───┐\n│ minute │ status │ count │\n│ timestamp │ varchar │ int64 │\n├────┼────┼───┤\n${table(
        '| | |',
        PLAIN,
      )
        .split('\n')
        .slice(1, 5)
        .map((row) => `│ ${row.replaceAll('|', ' │ ')} │`)
        .join('\n')}\n├────┴────┴───┤\n│ 4 rows    3 columns │\n└─────────────┘\n`,
    ],
    ['a clock with its zone', table('date;time;status;count', ['2026-11-21;12:00 UTC', '2026-11-21;12:01 utc'])],
    ["pandas' own words", table('time;status;count', ["Timestamp('2026-11-21 12:00')", '2026-11-21 12:01'])],
    [
      'a sum before the count, and an expected one',
      table('time;status;count_expected;Sum of amount;Count of id', PLAIN).replaceAll(/;(\d+)$/gm, ';99;700;$1'),
    ],
    ['months in Polish and Russian', table('czas;status;n', ['21 listopada 2026 12:00', '21 ноя 2026 12:01'])],
    [
      'nothing in other words',
      'time,approved,denied,failed\n2026-11-21 12:00,1050,6,[NULL]\n2026-11-21 12:01,116,7,#N/A\n',
    ],
    ['an index', table(',timestamp,status,0', ['0,2026-11-21 12:00', '1,2026-11-21 12:01'])],
    ['titles, and comments', `Transactions\n#made today\n\n${table('timestamp,status,count', PLAIN)}`],
    [
      'two files joined',
      table('timestamp,status,count', PLAIN).replace('2026-11-21 12:01', 'timestamp,status,count\n2026-11-21 12:01'),
    ],
    ['psql', ` minute | status | count\n--------+--------+-------\n${table('|', PLAIN).slice(2)}(4 rows)\n`],
    [
      'MySQL',
      `+---+---+---+\n${table('| minute | status | count |', ['|2026-11-21 12:00', '|2026-11-21 12:01']).replaceAll(/(\d)$/gm, '$1|')}+---+---+---+\n`,
    ],
    [
      'Grafana, a column each',
      '"Time","{status=""approved""}","denied"\n2026-11-21 12:00:00,1050,6\n2026-11-21 12:01:00,116,7\n',
    ],
    ['Grafana, a row each', table('"Time","Metric","Value"', PLAIN)],
    [
      'wide, with words beside',
      'minute;approvedCount;Total denied;total\n2026-11-21 12:00;1050;6;1056\n2026-11-21 12:01;116;7;123\n',
    ],
    ['no header, and cells that leave no doubt', table('', PLAIN).trimStart()],
    ['headers with words beside', table('DT_HR_TRANSACAO,DS_STATUS,Número de transações', PLAIN)],
    ['Kibana', table('@timestamp per minute,status.keyword: Descending,doc_count', PLAIN)],
    [
      'Grafana, labels in each row',
      table('Series;Time;Value', ['', ''])
        .replace(/^;(\w+);(\d+)$/gm, '"{status=""$1""}";2026-11-21 12:00;$2')
        .replace(/12:00;(116|7)$/gm, '12:01;$1'),
    ],
    ['Grafana, values with a letter', table('Time,status,job,Value #A', PLAIN).replaceAll(/,(\d+)$/gm, ',x,$1')],
    [
      'row numbers that the header does not name',
      `time,status,n\n${table('', PLAIN)
        .trim()
        .split('\n')
        .map((row, at) => `${at},${row}`)
        .join('\n')}`,
    ],
    ['a delimiter at the end of rows', table('timestamp,status,count', PLAIN).replaceAll(/(\d)$/gm, '$1,')],
    [
      'year, month, day, hour and minute',
      table('year,month,day,hour,minute,status,count', ['2026,11,21,12,0', '2026,11,21,12,1']),
    ],
    ['a clock without colon', table('date,time,status,count', ['20261121,1200', '20261121,1201'])],
    ['minutes of a day', table('date,minute_of_day,status,count', ['2026-11-21,720', '2026-11-21,721'])],
    ['times with words', table('time;status;count', ['21.11.2026 um 12:00 Uhr', '21/11/2026 às 12:01'])],
    [
      'times of Go and JavaScript',
      table('time;status;count', [
        '2026-11-21 12:00:00 +0000 UTC',
        'Sat Nov 21 2026 12:01:00 GMT+0000 (Coordinated Universal Time)',
      ]),
    ],
    [
      'times of DB2, and in brackets',
      table('time;status;count', ['2026-11-21-12.00.00.000000', '[21/Nov/2026:12:01:00 +0000]']),
    ],
    [
      'a zone that --timezone names',
      table('time,status,count', ['2026-11-21 09:00 BRT', '2026-11-21 09:01 BRT']),
      { timezone: 'America/Sao_Paulo' },
    ],
    ['numbers as text', table('time,status,count', PLAIN, undefined, '="1050"').replaceAll(/,(\d+)$/gm, ",'$1")],
    ['sentences and a comment under the table', `${table('timestamp,status,count', PLAIN)}# done\nEnd of report\n`],
    ['units under the header', table('timestamp,status,count\n(UTC),,(n)', PLAIN)],
    ['phrases', table('timestamp,status,count', PLAIN, ['Transação aprovada', 'STATUS_DENIED'])],
    [
      'Spanish numbers of rows',
      table('Fecha;Estado;Nº de operaciones', ['21/11/2026 12:00 h', '21/11/2026 12:01 h'], undefined, '1.050'),
    ],
    ['Dutch', table('Datum en tijd;Status;Aantal transacties', PLAIN, ['Goedgekeurd', 'Geweigerd'], '1.050')],
    [
      'date and time of a sale apart',
      table('Data da venda;Hora da venda;Status;Qtd', ['2026-11-21;12:00', '2026-11-21;12:01']),
    ],
    [
      "a spreadsheet's time without a day",
      table('Date,Time,Status,Qty', ['2026-11-21,1899-12-30 12:00:00', '2026-11-21,1899-12-30 12:01:00']),
    ],
    ['types under the header', table('t,status,count()\nDateTime,LowCardinality(String),UInt64', PLAIN)],
    [
      'lines between cells',
      `┌───┬───┬───┐\n${table('│ minute │ status │ n │', ['│2026-11-21 12:00', '│2026-11-21 12:01']).replaceAll(',', '│').replaceAll(/(\d)$/gm, '$1│')}└───┴───┴───┘\n`,
    ],
    ['a name made of times', table('Date hour and minute,Event name,Event count', PLAIN)],
    [
      'a pivot table',
      'COUNT of id,status,,\nminute,approved,denied,Grand Total\n2026-11-21 12:00,1050,6,1056\n2026-11-21 12:01,116,7,123\n',
    ],
    [
      'spaces between cells, as R writes them',
      table('"ts" "status" "n"', PLAIN)
        .split('\n')
        .map((row, at) => (at === 0 ? row : row.replace(/^(.+),(.+),/, `"${at}" "$1" "$2" `)))
        .join('\n'),
    ],
    [
      'windows of time',
      table('window;status;count', [
        '[2026-11-21 12:00:00, 2026-11-21 12:01:00]',
        '{2026-11-21 12:01:00, 2026-11-21 12:02:00}',
      ]),
    ],
    [
      'shares beside counts',
      'minute,approved,approved %,denied\n2026-11-21 12:00,1050,99.4%,6\n2026-11-21 12:01,116,94.3%,7\n',
    ],
    [
      'a sum of money beside a count',
      'minute,approved,approved_sum,denied\n2026-11-21 12:00,1050,35000,6\n2026-11-21 12:01,116,3500,7\n',
    ],
    [
      'an offset in the name of a column',
      table('ts_utc_minus_3;status;count', ['2026-11-21 09:00', '2026-11-21 09:01']),
    ],
    ['a plus in it', table('time GMT+05:30;status;count', ['2026-11-21 17:30', '2026-11-21 17:31'])],
    ['a city in it', table('datetime_sao_paulo;status;count', ['2026-11-21 09:00', '2026-11-21 09:01'])],
    ['hundredths of a second', table('tran_dat,tran_tim,status,count', ['20261121,12000099', '20261121,12010000'])],
    [
      'times in UTC beside the same of some other zone',
      table('time,time_utc,status,count', ['2026-11-21 09:00,2026-11-21 12:00', '2026-11-21 09:01,2026-11-21 12:01']),
    ],
    [
      'epoch numbers beside them',
      table('time,ts,status,count', ['2026-11-21 09:00,1795262400', '2026-11-21 09:01,1795262460']),
    ],
    [
      'counts beside money that a status names alone',
      'time,approved,approved_qty,denied_qty\n2026-11-21 12:00,9.75,1050,6\n2026-11-21 12:01,8.50,116,7\n',
    ],
    [
      'a zone in brackets behind each time',
      table('time,status,count', ['2026-11-21T09:00[America/Sao_Paulo]', '2026-11-21T09:01[America/Sao_Paulo]']),
    ],
    ['a zone under the header', table('time,status,count\n(UTC-3),,(n)', ['2026-11-21 09:00', '2026-11-21 09:01'])],
    [
      'a zone in a note',
      `${table('time,status,count', ['2026-11-21 09:00', '2026-11-21 09:01'])}All times are in America/Sao_Paulo\n`,
    ],
    ['times without a year', table('de7,status,count', ['1121120059', '1121120100']), { date: '2026-11-30' }],
    ['times of syslog', table('time;status;count', ['Nov 21 12:00:59', 'Nov 21 12:01:00']), { date: '2027-01-01' }],
    ['a clock of digits', table('time,status,count', ['120059', '120100']), { date: '2026-11-21' }],
    [
      'digits that --date-format explains',
      table('time,status,count', ['12000011', '12010011']),
      { date: '2026-11-21', dateFormat: 'hhmmssff' },
    ],
    ['a zone in the header', table('Time (America/Sao_Paulo);status;count', ['2026-11-21 09:00', '2026-11-21 09:01'])],
    [
      'single quotes',
      table("'time','status','count'", ["'2026-11-21 12:00'", "'2026-11-21 12:01'"], ["'approved'", "'denied'"]),
    ],
    [
      'quotes after a backslash',
      table('time,status,count', PLAIN, undefined, '1050,"a \\"b\\""')
        .replace('count', 'count,note')
        .replaceAll(/,(\d+)$/gm, ',$1,x'),
    ],
    ['a count with an exponent', table('time,status,count', PLAIN, undefined, '1.05e+3').replace(',7', ',7.0E+00')],
    [
      'a zone after each time, as Trino writes it',
      table('time,status,count', ['2026-11-21 09:00:00.000 America/Sao_Paulo', '2026-11-21 12:01:00.000 Etc/UTC']),
    ],
    ['times of SAS and of MongoDB', table('t;status;count', ['21NOV2026:12:00:00', 'ISODate("2026-11-21T12:01:00Z")'])],
    ['a day of the week before numbers', table('t;status;count', ['sáb, 21/11/2026 12:00', 'sáb, 21/11/2026 12:01'])],
    ['times kept as text', table('t;status;count', ['="2026-11-21 12:00"', "'2026-11-21 12:01"])],
    ['epoch numbers with commas', table('t;status;count', ['1,795,262,400', '1,795,262,460'])],
    ['an index called #', table('#,timestamp,status,count', ['1,2026-11-21 12:00', '2,2026-11-21 12:01'])],
    ['a header in a comment', table('# when,status,count', PLAIN)],
    [
      'no header, and row numbers',
      table('', PLAIN)
        .trim()
        .split('\n')
        .map((row, at) => `${at},${row}`)
        .join('\n'),
    ],
    ['a sorted file', `${table('', PLAIN).trimStart()}timestamp,status,count\n`],
    [
      'money beside a number of transactions',
      table('time,status,volume,transactions', PLAIN).replaceAll(/,(\d+)$/gm, ',123450,$1'),
    ],
    ['Czech and Korean times', table('t;status;count', ['21. 11. 2026 12:00', '2026. 11. 21. 오후 12:01'])],
    ['Hungarian and Chinese times', table('t;status;count', ['2026. 11. 21. 12:00', '2026/11/21 下午12:01'])],
    [
      'intervals',
      table('t;status;count', ['2026-11-21 12:00 - 2026-11-21 12:01', '2026-11-21T12:01:00Z/2026-11-21T12:02:00Z']),
    ],
    [
      'windows of Spark',
      table('window;status;count', [
        '{"start":"2026-11-21T12:00:00Z","end":"x"}',
        '{"start":"2026-11-21T12:01Z","end":"x"}',
      ]),
    ],
    [
      'times of a spreadsheet in India',
      table('Date,Status,Count', ['21-11-2026 12:00', '21-11-2026 12:01'], undefined, '"1,050"'),
    ],
    ['date, hour and minute by one letter', table('d,h,mi,status,n', ['2026-11-21,12,0', '2026-11-21,12,1'])],
    ["Splunk's count of what is different", table('_time,status,dc(txn_id)', PLAIN)],
    [
      'two lines of names, as pandas writes them',
      ',n,n\nstatus,approved,denied\nminute,,\n2026-11-21 12:00,1050,6\n2026-11-21 12:01,116,7\n',
    ],
    [
      "a pivot of Looker's",
      'Sales Status,approved,denied\nSales Created Minute,Sales Count,Sales Count\n2026-11-21 12:00,1050,6\n2026-11-21 12:01,116,7\n',
    ],
    [
      'columns of Kibana',
      'minute,approved › Count of records,denied › Count of records\n2026-11-21 12:00,1050,6\n2026-11-21 12:01,116,7\n',
    ],
    ['a footer of SnowSQL', `${table('minute,status,n', PLAIN)}4 Row(s) produced. Time Elapsed: 0.3s\n* preliminary\n`],
    [
      'ClickHouse',
      `┌──────────────minute─┬─status───┬─count()─┐\n${table('│', PLAIN)
        .slice(2)
        .replaceAll(/^(.*),(.*),(.*)$/gm, '│ $1 │ $2 │ $3 │')}└───┴───┴───┘\n`,
    ],
    [
      'Polars',
      `┌───┬───┬───┐\n│ minute ┆ status ┆ len │\n│ --- ┆ --- ┆ --- │\n│ datetime[μs] ┆ str ┆ u32 │\n╞═══╪═══╪═══╡\n${table(
        '│',
        PLAIN,
      )
        .slice(2)
        .replaceAll(/^(.*),(.*),(.*)$/gm, '│ $1 ┆ $2 ┆ $3 │')}└───┴───┴───┘\n`,
    ],
    [
      'SQL*Plus, a header a page',
      `MINUTE            STATUS      COUNT(*)\n----------------- ---------- ---------\n${['21-NOV-2026 12:00 approved        1050', '21-NOV-2026 12:00 denied             6', '', 'MINUTE            STATUS      COUNT(*)', '----------------- ---------- ---------', '21-NOV-2026 12:01 approved         116', '21-NOV-2026 12:01 denied             7'].join('\n')}\n\n4 rows selected.\n`,
    ],
    ['words with a number before', table('time,status,count', PLAIN, ['1 - Approved', '2 - Denied'])],
    ['words with a code behind', table('time,status,count', PLAIN, ['Approved (00)', 'DECLINED (51)'])],
    ['who declined', table('time,status,count', PLAIN, ['payment_intent.succeeded', 'processor_declined'])],
    ['columns with a number before', 'time,1 - Approved,2 - Denied\n2026-11-21 12:00,1050,6\n2026-11-21 12:01,116,7\n'],
    [
      'a whole hour and a minute',
      table('hour,minute,status,count', ['2026-11-21 12:00:00,0', '2026-11-21 12:00:00,1']),
    ],
    [
      'a date, a whole hour and a minute',
      table('date,hour,minute,status,count', ['2026-11-21,12h,0', '2026-11-21,12h,1']),
    ],
    [
      'an offset in brackets',
      table('t;status;count', ['2026-11-21 09:00:00 (UTC-03:00)', '2026-11-21 12:01 GMT (Greenwich Mean Time)']),
    ],
    ['digits down to milliseconds', table('t;status;count', ['20261121120000000', '20261121_1201'])],
    [
      'marks of direction, as Windows writes them into dates',
      table('t;status;count', ['\u200e21\u200e/\u200e11\u200e/\u200e2026 \u200e12:00', '21/11/2026 12:01']),
    ],
    [
      'a zone above the table',
      `Report of:,2026-11-22\nTime zone:,America/Sao_Paulo\n${table('time,status,count', ['2026-11-21 09:00', '2026-11-21 09:01'])}`,
    ],
    [
      'an hour with AM or PM and a minute',
      table('date,hour,minute,status,count', ['2026-11-21,12 PM,0', '2026-11-21,12 PM,1']),
    ],
    ['a point behind a number', table('time,status,count', PLAIN).replaceAll(/(\d)$/gm, '$1.')],
    ['Polish', table('Data i godzina;Status;Liczba', PLAIN, ['Opłacona', 'Odrzucona'])],
    ['Turkish', table('Tarih;Durum;Adet', PLAIN, ['BAŞARILI', 'Reddedildi'])],
    ['Russian', table('Время;Статус;Количество', PLAIN, ['Одобрено', 'Отказ'])],
    ['Japanese', table('日時,ステータス,件数', PLAIN, ['承認', '拒否'])],
    ['Chinese', table('时间,状态,笔数', PLAIN, ['成功', '已拒绝'])],
    [
      'statuses with a reason',
      table('time,status,count', PLAIN, ['Approved and completed successfully', 'Negada - saldo insuficiente']),
    ],
    [
      'labels in a cell',
      table('time;tags;value', PLAIN, ['env:prod,status:approved', "{'env': 'prod', 'status': 'denied'}"]),
    ],
    [
      'what a status became',
      table('time,old_status,new_status,count', ['2026-11-21 12:00,failed', '2026-11-21 12:01,failed']),
    ],
    ['rows that are in quotes as a whole', table('time,status,count', PLAIN).replaceAll(/^(.+)$/gm, '"$1"')],
    [
      'a second line of names, as CloudWatch writes it',
      'Label,approved,denied\nFull label,approved,denied\n2026-11-21 12:00,1050,6\n2026-11-21 12:01,116,7\n',
    ],
    ['the end that PostgreSQL marks', `${table('time\tstatus\tcount', PLAIN)}\\.\n`],
    ['no header', table('', PLAIN).trimStart(), { columns: 'time=1,status=2,count=3' }],
    ['names that say nothing', table('a,b,c', PLAIN), { columns: 'time=a,status=b,count=c' }],
    [
      'local times',
      table('time,status,count', ['2026-11-21 09:00', '2026-11-21 09:01']),
      { timezone: 'America/Sao_Paulo' },
    ],
  ])('reads %s', async (_, content, flags = {}) => {
    expect(await minutesOf(content, flags)).toEqual(MINUTES);
  });

  it.each([
    ['uniq -c', ['   1050 A approved', '      6 A denied', '    116 B approved', '      7 B denied']],
    [
      'uniq -c, of lines with a delimiter',
      ['1050 A;approved', '6 A;denied', '116 B;approved', '7 B;denied', '1 time;status'],
    ],
    [
      'uniq -c, header first',
      ['1 time,status', '1050 "A","approved"', '6 "A","denied"', '116 "B","approved"', '7 B,denied'],
    ],
    ['uniq -c, of times with a colon behind', ['1050 A: approved', '6 A: denied', '116 B: approved', '7 B: denied']],
    ['awk', ['A approved 1050', 'A denied 6', 'B approved 116', 'B denied 7']],
    [
      'sqlcmd',
      [
        'when   status    count',
        '------ --------  -----',
        'A approved 1050',
        'A denied 6',
        'B approved  116',
        'B denied   7',
      ],
    ],
    [
      'a printed data frame',
      ['  when status count', '0 A approved 1050', '1 A denied 6', '2 B approved 116', '3 B denied 7'],
    ],
    ['date and time apart', ['day clock status n', 'A approved 1050', 'A denied 6', 'B approved 116', 'B denied 7']],
  ])('reads what stands in lines without a delimiter between cells: %s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`.replaceAll('A', '2026-11-21 12:00').replaceAll('B', '2026-11-21 12:01');
    expect(await minutesOf(text)).toEqual(MINUTES);
  });

  it('says how to leave out the subtotals of ROLLUP', async () => {
    const file = 'time,status,count\n2026-11-21 12:00,denied,4\n2026-11-21 12:00,,4\n,,4\n';
    expect(await problemOf(file)).toMatch(/line 3: status "": is empty \(1 row\).* with the line "": ignore/);
    expect(await minutesOf(file, { statusMap: await textFile('"": ignore\n') })).toEqual(['2026-11-21T12:00 denied=4']);
  });

  it.each([
    ['2 2026-11-24 19:48 refunded', '406 2026-11-13 00:00 denied'],
    ['2026-11-24 19:48,refunded,2', '2026-11-13 00:00,denied,406'],
  ])('takes the first row of a table without a header for no title, whatever follows: %s', async (...rows) => {
    expect(await minutesOf(`${rows.join('\n')}\n`)).toEqual([
      '2026-11-13T00:00 denied=406',
      '2026-11-24T19:48 refunded=2',
    ]);
  });

  it('leaves out the rows of another table, whose columns may stand in another order', async () => {
    const file = 'time,approved,denied\n2026-11-21 12:00,116,6\ntime,denied,approved\n2026-11-21 12:01,7,117\n';
    expect(await minutesOf(file, { skipBadRows: true })).toEqual(['2026-11-21T12:00 approved=116 denied=6']);
  });

  it('takes NULL for no auth code', async () => {
    const file = 'time,status,code,count\n2026-11-21 12:00,failed,NULL,3\n2026-11-21 12:00,approved,00,4\n';
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 approved=4 failed=3 00=4']);
    expect(await problemOf(file.replace('status,', '').replaceAll(/failed,|approved,/g, ''))).toContain(
      'line 2: code "NULL": is no auth code',
    );
  });

  it("reads lines of uniq -c from a web server's log, and with a day given", async () => {
    const lines = ['1050 A approved', '6 A denied', '116 B approved', '7 B denied'].join('\n');
    const clf = (text: string) => text.replaceAll('A', '21/Nov/2026:12:00').replaceAll('B', '21/Nov/2026:12:01');
    expect(await minutesOf(clf(`${lines}\n`))).toEqual(MINUTES);
    const clocks = lines.replaceAll('A', '12:00').replaceAll('B', '12:01');
    expect(await minutesOf(`${clocks}\n`, { date: '2026-11-21' })).toEqual(MINUTES);
  });

  it('reads thousands as India groups them', async () => {
    expect(await minutesOf('time,status,count\n2026-11-21 12:00,approved,"1,16,400"\n')).toEqual([
      '2026-11-21T12:00 approved=116400',
    ]);
  });

  it('takes counts, and not money beside them, for a status', async () => {
    const [header, row] = ['minute,approved_cnt,approved_value,denied_cnt,denied_value', '116,4292,6,222'];
    const expected = ['2026-11-21T12:00 approved=116 denied=6'];
    expect(await minutesOf(`${header}\n2026-11-21 12:00,${row}\n`)).toEqual(expected);
    const totals = 'minute,total approved,value approved,total denied,value denied';
    expect(await minutesOf(`${totals}\n2026-11-21 12:00,${row}\n`)).toEqual(expected);
  });

  it('takes one of columns that say the same, as those of replicas do', async () => {
    const series = ['a', 'b'].flatMap((replica) =>
      ['approved', 'denied'].map((status) => `"{replica=""${replica}"", status=""${status}""}"`),
    );
    const rows = Array.from(
      { length: 12 },
      (_, at) => `2026-11-21 12:${10 + at},${116 + at},${at % 5},${116 + at},${at % 5}`,
    );
    const [first] = await minutesOf(`Time,${series.join(',')}\n${rows.join('\n')}\n`);
    expect(first).toBe('2026-11-21T12:10 approved=116 denied=0');
  });

  it('leaves parts of a status aside where its whole is there', async () => {
    const rows = Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},116,${at + 3},${at + 1},2`);
    const [first] = await minutesOf(`time,approved,declined,soft_declined,hard_declined\n${rows.join('\n')}\n`);
    expect(first).toBe('2026-11-21T12:10 approved=116 denied=3');
    const [parts] = await minutesOf(`time,approved,foo,soft_declined,hard_declined\n${rows.join('\n')}\n`);
    expect(parts).toBe('2026-11-21T12:10 approved=116 denied=3');
  });

  it('takes no number that each approval has for an auth code', async () => {
    const rows = Array.from({ length: 12 }, (_, at) => `2026-11-21 12:00:${10 + at},approved,${831_000 + at}`);
    const file = `time,status,authorization code\n${rows.join('\n')}\n`;
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 approved=12']);
  });

  it.each([
    [
      'two tables side by side',
      'minute,approved,,minute,approved\n2026-11-21 12:00,116,,2026-11-22 12:00,117\n',
      'side by side',
    ],
    [
      'the least and the most of a status',
      'minute,approved_min,approved_max\n2026-11-21 12:00,1,9\n',
      'none is named by a status itself',
    ],
    [
      'a rate',
      `minute,status,per_second\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},approved,${at % 3}`).join('\n')}\n`,
      '"per_second" holds whole numbers',
    ],
    [
      'a cell a line',
      '*************************** 1. row ***************************\nminute: x\n',
      'query again without \\G',
    ],
    [
      'an interval without spaces',
      'time,status,count\n2026-11-21 12:00-12:01,approved,1\n',
      'put a space on each side',
    ],
    [
      'sums by the minute without counts',
      `minute,status,amount\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},approved,${at}37.50`).join('\n')}\n`,
      'export the number of transactions too',
    ],
    [
      'times left empty, as a pivot table has them',
      'time,status,count\n2026-11-21 12:00,approved,1\n,denied,1\n',
      'labels repeated',
    ],
    [
      'two tables in one file',
      'time,status,count\n2026-11-21 12:00,denied,1\ntime,status,amount\n2026-11-21 12:00,denied,40\n',
      'line 3: time "time": begins another table; save each table as a file of its own',
    ],
    [
      'two tables of different width',
      `time,status,count\n${'2026-11-21 12:00,denied,1\n'.repeat(4)}status,count\ndenied,4\n`,
      'line 6: row "status,count": has 2 fields, not 3; perhaps it begins another table',
    ],
    [
      'the end of a minute alone',
      'window_end,status,count\n2026-11-21 12:00,denied,9\n',
      '"window_end" is the end of each minute or interval by its name',
    ],
    [
      'volume beside a number that may be the count',
      `time,status,volume,tickets\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},denied,${13 * (at % 5)},${at % 5}`).join('\n')}\n`,
      '--columns count=volume or --columns count=tickets',
    ],
    ['a year of another calendar', 'time,status,count\n2569-11-21 12:00,denied,9\n', 'is a time after the year 2200'],
    ['a word that is misspelt', 'time,status,count\n2026-11-21 12:00,Aproved,9\n', 'as in "Aproved: approved"'],
    ['a quarter of an hour', 'time,status,count\n2026-11-21 09:00-09:15,denied,9\n', 'put a space on each side'],
    [
      'a column of a status twice, as of counts and money',
      'time,approved,denied,approved,denied\n2026-11-21 12:00,116,6,2320,90\n',
      'the column approved is there twice, and one may hold money: say which are counts by their numbers',
    ],
    [
      'shares in the place of counts',
      `time,approved,denied,failed\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},${90 + (at % 4)},${9 - (at % 4)},1`).join('\n')}\n`,
      'the counts of each minute add up to 100, as percentages do',
    ],
    [
      'a rate alone',
      'time,status,rate\n2026-11-21 12:00,approved,93\n2026-11-21 12:00,denied,7\n',
      'but "rate" is no count by its name: export counts',
    ],
    [
      'transactions of which each stands for several',
      'time,status,sample_rate\n2026-11-21 12:00:01,approved,10\n2026-11-21 12:00:02,denied,10\n',
      'by "sample_rate" rows are a sample',
    ],
    [
      'means of CloudWatch',
      'Label,approved,denied\nStatistic,Average,Average\nPeriod,60,60\n2026/11/21 12:00:00,1,6\n',
      'the statistic "Average": export the statistic Sum',
    ],
    ['a time that is none', 'time,status,count\n1970-01-01 00:00:00,denied,9\n', 'is before 2000; programs write 1970'],
    [
      'a tar archive',
      gzipSync(Buffer.concat([Buffer.from('a.csv'.padEnd(257, '\0')), Buffer.from('ustar\0')])),
      'is a tar archive',
    ],
    ['a zip archive in gzip', gzipSync('PK\u0003\u0004'), 'is a zip archive or a workbook (.xlsx)'],
    ['packing without end', [1, 2, 3].reduce((bytes) => gzipSync(bytes), gzipSync('x')), 'is packed more than 3 times'],
    [
      'JSON on many lines',
      JSON.stringify([{ time: 1, status: 'denied' }], null, 2),
      'is JSON; expected CSV. Convert it',
    ],
    [
      'stages of approvals in a column each',
      'time,authorized,captured,declined\n2026-11-21 12:00,116,110,6\n',
      '"authorized" and "captured" all mean approved, and may be stages of the same transactions',
    ],
    [
      'a total of each minute in the place of the count',
      `time,status,total_count,tally\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},approved,${110 + at},${104 + at}\n2026-11-21 12:${10 + at},denied,${110 + at},6`).join('\n')}\n`,
      '"total_count" and "tally" both hold whole numbers, and either may be the count',
    ],
    [
      'counts under an unknown name beside row numbers',
      `id,time,acquirer,status,foo\n${Array.from({ length: 24 }, (_, at) => `${at},2026-11-21 12:${10 + (at >> 1)},${at % 2 ? 'acme' : 'other'},denied,${at % 5}`).join('\n')}\n`,
      '"foo" holds whole numbers: pass --columns count=foo',
    ],
    [
      'auth codes in a column of answers, some of them rare',
      'time,response\n2026-11-21 12:00:01,00\n2026-11-21 12:00:02,N7\n2026-11-21 12:00:03,51\n',
      '--columns auth_code=response',
    ],
    ['shares', 'time,approved,denied\n2026-11-21 12:00,99.4%,0.6%\n', 'is a share; export counts'],
    ['rates', 'time,approved,denied\n2026-11-21 12:00,18.9 req/s,0.1 req/s\n', 'is a rate; export counts'],
    ['fractions', 'time,approved,denied\n2026-11-21 12:00,116.02,6.1\n', 'in PromQL as round(increase(...[1m]))'],
    [
      'sums of money by status',
      'time,Approved value,Denied value\n2026-11-21 12:00,4292,222\n',
      'none is named by a status itself',
    ],
    [
      'columns of a merchant and a status',
      'time,acme_approved,acme_denied\n2026-11-21 12:00,116,6\n',
      'in a file given by --status-map, with a line such as "acme_approved: approved"',
    ],
    [
      'words that are not known in a column of answers',
      'time,response,count\n2026-11-21 12:00,Approved and done,116\n2026-11-21 12:00,Do not honor,6\n',
      'line 3: response "Do not honor": is no status that is known',
    ],
    [
      'counts in a text',
      Array.from({ length: 12 }, (_, at) => `tx,status=denied count=${at}i 17952624${at + 10}0`).join('\n'),
      'holds lines of InfluxDB',
    ],
    [
      'a record in a cell',
      'time;payload\n2026-11-21 12:00;{"status":"denied","count":3}\n',
      'no column is named as a status',
    ],
    [
      'the zone of a line above the table that may be several',
      'Time Zone: Central\ntime,status,count\n2026-11-21 12:00,denied,1\n',
      'line 1: "Time Zone: Central" names the zone "Central"; say which it is with --timezone',
    ],
    [
      'the zone of a time in brackets',
      'time,status,count\n2026-11-21 12:00:00 (BRT),denied,1\n',
      'has the zone BRT, which may mean several; say which with --timezone',
    ],
    [
      'offsets in minutes',
      'time,utc_offset_minutes,status,count\n2026-11-21 09:00,-180,denied,1\n',
      '"utc_offset_minutes" holds offsets that are not understood; say the zone with --timezone',
    ],
  ])('refuses %s, and says what to do', async (_, file, help) => {
    expect(await problemOf(file)).toContain(help);
  });

  it('reads zstd, by its content', async () => {
    expect(await minutesOf(ZSTD)).toEqual(MINUTES);
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    expect(await minutesOf(Buffer.concat([skipped, ZSTD]))).toEqual(MINUTES);
    expect(await problemOf(ZSTD.subarray(0, 40))).toContain('cannot be unpacked (zstd)');
  });

  it('says in one line what it recognised, and names what it leaves aside once', async () => {
    const { said } = await readTexts(['id;Datum;Uhrzeit;Ergebnis;Anzahl\n1;21.11.2026;12:00;Genehmigt;1.050,0\n']);
    expect(said).toBe(
      '0.csv: UTF-8, semicolon between cells; time in "Datum" and "Uhrzeit" (day first, UTC unless it has an offset); status in "Ergebnis"; ' +
        'count in "Anzahl"; decimals after ","; statuses: "Genehmigt" as approved; left aside: "id"\n',
    );
  });

  it.each([
    ['time,approved,denied,00,51,59', ''],
    ['time;Approved count;denied_count;auth_code_0;auth_code_51;auth_code_59', ''],
    ['Data;APROVADA;NEGADA;código de resposta 00;código de resposta 51;código de resposta 59', ''],
    ['minute\tapproved\tdenied\tcode 00\tcode 51\tcode 59', ''],
    ['ts|approved|denied|RC00|RC51|RC59|total', '|122'],
  ])('reads columns of statuses and of auth codes side by side: %s', async (header, rest) => {
    const delimiter = /[,;\t|]/.exec(header)?.[0] ?? '';
    const row = ['2026-11-21 12:00', 116, 6, 116, 4, 2].join(delimiter);
    expect(await minutesOf(`${header}\n${row}${rest}\n`)).toEqual([
      '2026-11-21T12:00 approved=116 denied=6 00=116 51=4 59=2',
    ]);
    const codes = header
      .split(delimiter)
      .filter((_, at) => ![1, 2].includes(at))
      .join(delimiter);
    expect(
      await minutesOf(
        `${codes}\n${row.replace('116', '').replace(`${delimiter}6`, '').replace(delimiter, '')}${rest}\n`,
      ),
    ).toEqual(['2026-11-21T12:00 00=116 51=4 59=2']);
  });

  it("tells the backend's reversals from others, in any order of words", async () => {
    const words = [
      'Estornada pelo sistema',
      'BACKEND REVERSADO',
      'Annulée par le système',
      'auto-reversed',
      'System-Storno',
    ];
    const file = `time,status,count\n${words.map((word) => `2026-11-21 12:00:00,${word},1`).join('\n')}\n`;
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 backend_reversed=5']);
    expect(await minutesOf('time,Estornadas,Estornadas backend\n2026-11-21 12:00,3,4\n')).toEqual([
      '2026-11-21T12:00 backend_reversed=4 reversed=3',
    ]);
  });

  it('takes the only numbers beside rows by the minute for their counts, whatever they are called', async () => {
    const rows = Array.from({ length: 20 }, (_, at) => `2026-11-21 12:${at + 10},NEGADA,${at % 7}`);
    expect(await minutesOf(`日時,ステータス,件数\n${rows.join('\n')}\n`)).toHaveLength(20);
    const events = Array.from({ length: 20 }, (_, at) => `2026-11-21 12:00:${at + 10},denied,${at % 7}.50`);
    expect(await minutesOf(`time,status,total\n${events.join('\n')}\n`)).toEqual(['2026-11-21T12:00 denied=20']);
  });

  it('reads auth codes with what a program writes around them', async () => {
    const cells = ['="00"', "'00", 'RC00', '00 - Approved', '"{auth_code=""00""}"', '0.0'];
    const file = `time,auth_code,count\n${cells.map((cell) => `2026-11-21 12:00:00,${cell},1`).join('\n')}\n`;
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 00=6']);
    expect(await minutesOf('time,00 - Approved,51_count,15 min,05 Do not honour\n2026-11-21 12:00,3,4,9,2\n')).toEqual([
      '2026-11-21T12:00 00=3 05=2 51=4',
    ]);
  });

  it('takes two digits beside a status for counts, unless they are codes for sure', async () => {
    expect(await minutesOf('2026-11-21 12:00,approved,10\n2026-11-21 12:00,denied,51\n')).toEqual([
      '2026-11-21T12:00 approved=10 denied=51',
    ]);
    expect(await minutesOf('2026-11-21 12:00,approved,00\n2026-11-21 12:00,denied,51\n')).toEqual([
      '2026-11-21T12:00 approved=1 denied=1 00=1 51=1',
    ]);
  });

  it('names a file of codes without any approval', async () => {
    const file = 'time,auth_code,count\n2026-11-21 12:00,51,3\n2026-11-21 12:00,5,2\n';
    expect((await readTexts([file])).said).toContain(
      'warning: 0.csv: No auth code is an approval (00, 08, 10, 11, 85)',
    );
    expect((await readTexts([`${file}2026-11-21 12:00,0,90\n`])).said).not.toContain('approval');
  });

  it('reads dimensions, alone or all of them', async () => {
    const file =
      'time,Acquirer,shop,status,count\n2026-11-21 12:00,acme,1,denied,5\n2026-11-21 12:00,other,1,denied,6\n';
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 denied=11']);
    expect(await minutesOf(file, { dimensions: 'acquirer' })).toEqual([
      '2026-11-21T12:00 {"acquirer":"acme"} denied=5 {"acquirer":"other"} denied=6',
    ]);
    expect(await minutesOf(file, { dimensions: 'all' })).toEqual([
      '2026-11-21T12:00 {"acquirer":"acme","shop":"1"} denied=5 {"acquirer":"other","shop":"1"} denied=6',
    ]);
    const wide =
      'Time,"{acquirer=""acme"", status=""denied""}","{acquirer=""other"", status=""denied""}"\n2026-11-21 12:00,5,6\n';
    expect((await readTexts([wide])).said).not.toContain('another row has too');
    expect(await minutesOf(wide)).toEqual(['2026-11-21T12:00 denied=11']);
    expect(await minutesOf(wide, { dimensions: 'acquirer' })).toEqual([
      '2026-11-21T12:00 {"acquirer":"acme"} denied=5 {"acquirer":"other"} denied=6',
    ]);
    expect(await problemOf(file, { dimensions: 'region' })).toContain('--dimensions region: there is no column region');
  });
});

describe('rows of transactions', () => {
  const rows = (text: (at: number) => string) => Array.from({ length: 20 }, (_, at) => text(at)).join('\n');
  const second = (at: number) => `2026-11-21 12:00:${at + 10}`;

  it('are such where each has a number of its own, whatever other numbers it has', async () => {
    const file = `Reference,Time,Status,Risk score,Qtd de parcelas\n${rows((at) => `R${at},${second(at)},Refused,${at % 7},${at % 3}`)}\n`;
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 denied=20']);
  });

  it('have what came of them in another column than what was asked for', async () => {
    const file = `time,type,text\n${rows((at) => `${second(at)},Authorization,${at < 5 ? 'Declined: no funds' : 'Approved'}`)}\n`;
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 approved=15 denied=5']);
    expect(await problemOf(file.replaceAll(/,[^,\n]*$/gm, ''))).toContain('no column is named as a status');
  });

  it('with a yes or no are asked what a no means', async () => {
    const file = `time,approved\n${rows((at) => `${second(at)},${at < 5 ? 0 : 1}`)}\n`;
    expect(await problemOf(file)).toContain('"approved" says yes or no of each row');
    const flags = { columns: 'status=approved', statusMap: await textFile('1: approved\n0: denied\n') };
    expect(await minutesOf(file, flags)).toEqual(['2026-11-21T12:00 approved=15 denied=5']);
    const words = file.replaceAll(/0$/gm, 'false').replaceAll(/1$/gm, 'true');
    expect(await problemOf(words)).toContain('such as "true: approved" and "false: denied"');
    const statusMap = await textFile('true: approved\nfalse: denied\n');
    expect(await minutesOf(words, { ...flags, statusMap })).toEqual(['2026-11-21T12:00 approved=15 denied=5']);
  });

  it('that are stages of one transaction are not counted as several', async () => {
    const file = `id,time,event\n${rows((at) => `${at},${second(at)},authorized\n${at},${second(at)},captured`)}\n`;
    expect(await problemOf(file)).toMatch(
      /several rows of one status \("authorized", "captured"\).*"captured: ignore"/,
    );
    const statusMap = await textFile('captured: ignore\n');
    expect(await minutesOf(file, { statusMap })).toEqual(['2026-11-21T12:00 approved=20']);
    const customers = `customer_id,time,event\n${rows((at) => `${at % 3},${second(at)},${at % 2 ? 'authorized' : 'captured'}`)}\n`;
    expect(await minutesOf(customers)).toEqual(['2026-11-21T12:00 approved=20']);
  });

  it('that are stages far down in the file are found, and so are updates of a transaction', async () => {
    const stage = (word: string, minute: number) =>
      Array.from({ length: 250 }, (_, at) => `P${at},2026-11-21 12:0${minute}:${(at % 50) + 10},${word}`).join('\n');
    const file = `payment_id,time,status\n${stage('authorised', 0)}\n`;
    expect(await problemOf(`${file}${stage('captured', 5)}\n`)).toContain('("authorised", "captured")');
    expect((await readTexts([`${file}${stage('authorised', 5)}\n`])).said).toContain(
      '250 rows of a transaction and its status that another row has too',
    );
    const refused = stage('refused', 0).replaceAll('P', 'Q');
    const { said } = await readTexts([`${file}${refused}\n${refused.replaceAll('12:00', '12:01')}\n`]);
    expect(said).not.toContain('another row has too');
  });

  it('keep a small number beside their status for no auth code', async () => {
    const file = `time,status,response code\n${rows((at) => `${second(at)},${at < 5 ? 'declined,2' : 'approved,1'}`)}\n`;
    expect(await minutesOf(file)).toEqual(['2026-11-21T12:00 approved=15 denied=5']);
    expect(await minutesOf(file.replaceAll(',2', ',5').replaceAll(',1\n', ',0\n').replace(/,1$/, ',0'))).toEqual([
      '2026-11-21T12:00 approved=15 denied=5 00=15 05=5',
    ]);
  });

  it('of which none is approved are named', async () => {
    const { said } = await readTexts(['time,total,failed\n2026-11-21 12:00,116,6\n']);
    expect(said).toContain('warning: 0.csv: No count is of approved');
  });
});

describe('a status with a reason', () => {
  it.each([
    'Declined: authorized amount exceeded',
    'Approved, pending review',
    'Authorization - sent',
    'Refund - declined',
    'Reversed (auto, no capture)',
    'Error: none',
  ])('is asked for where the reason may say otherwise: %s', async (word) => {
    expect(await problemOf(`time,status,count\n2026-11-21 12:00,${JSON.stringify(word)},1\n`)).toContain(
      `status ${JSON.stringify(word)}: is no status that is known`,
    );
  });
});

describe('what may be read in two ways', () => {
  it.each([
    [
      'a day',
      'time,status,count\n05/11/2026 12:00,denied,5\n',
      'line 2: time "05/11/2026 12:00": may be 2026-11-05 (day first) or 2026-05-11 (month first)',
      '--date-format',
    ],
    [
      'a thousand',
      'time;status;count\n2026-11-21 12:00;denied;1.050\n',
      'line 2: count "1.050": may be 1050 or 1.05',
      '--decimal',
    ],
    [
      'a comma where the cells are parted by semicolons',
      'time;status;count\n2026-11-21 12:00;denied;1,050\n2026-11-21 12:00;failed;6',
      'may be 1050 or 1.05',
      '--decimal',
    ],
    [
      'a zone that may be several',
      'time,status,count\n2026-11-21 12:00 EST,denied,5\n',
      'has the zone EST, which may mean several',
      '--timezone',
    ],
    ['a short year', 'time,status,count\n13/11/26 12:00,denied,5\n', 'has a year of two digits', '--date-format'],
    [
      'statuses of which a total tells more',
      'time,total,approved\n2026-11-21 12:00,122,116\n2026-11-21 12:01,123,116\n',
      '"total" is more than the statuses beside it',
      'export a column for each status',
    ],
    [
      'two columns of counts',
      'time,status,count,count\n2026-11-21 12:00,denied,5,6\n',
      'the column count is there twice',
      '--columns count=3 or count=4',
    ],
    [
      'counts of two acquirers in a column each',
      'time,status,count_a,count_b\n2026-11-21 12:00,denied,1,2\n2026-11-21 12:01,denied,3,4\n',
      '"count_a" and "count_b" both hold whole numbers',
      '--columns count=count_a or --columns count=count_b',
    ],
    [
      'a sum of money by its name',
      'time,status,sum(amount)\n2026-11-21 12:00,denied,150\n2026-11-21 12:01,denied,370\n',
      'no column is named as a count',
      '--columns count=',
    ],
    [
      'windows of one minute and of five',
      'time,window,status,count\n2026-11-21 12:00,1 min,denied,1\n2026-11-21 12:00,5 min,denied,6\n',
      'rows with "5 min" in "window" may not be added',
      '--dimensions window',
    ],
    [
      'a column that pandas has numbered',
      'time,approved,approved.1,denied\n2026-11-21 12:00,1,2,3\n',
      'the column approved is there twice',
      'approved=2',
    ],
    ...['yesterday', 'tx_amount', 'budget', 'upper bound', 'uat', 'test', 'refund', '1h'].map(
      (cell): [string, string, string, string] => [
        `rows that may not be added up: ${cell}`,
        `time,status,kind,count\n2026-11-21 12:00,denied,x,5\n2026-11-21 12:00,denied,${cell},6\n`,
        `rows with "${cell}" in "kind" may not be added to the others`,
        '--dimensions kind',
      ],
    ),
    ...['tps', 'count per hour', 'count (000s)', 'count_last_5m', 'distinct_cards'].map(
      (name): [string, string, string, string] => [
        `what is no count by its name: ${name}`,
        `time,status,${name}\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},denied,${at % 5}`).join('\n')}\n`,
        `"${name}" is no count of a minute's transactions by its name`,
        '--columns count=',
      ],
    ),
    [
      'ten digits that are no epoch seconds',
      'time,status,count\n2026112113,denied,5\n',
      'is epoch seconds after 2033, or YYYYMMDDhh or YYMMDDhhmm',
      '--date-format s',
    ],
    [
      'a title with a zone that may be several',
      'Transactions (BRT)\ntime,status,count\n2026-11-21 12:00,denied,5\n',
      'names the zone BRT, which may mean several',
      '--timezone',
    ],
    [
      'a note with such a zone',
      'time,status,count\n(BRT),,(n)\n2026-11-21 12:00,denied,5\n',
      'the note "(BRT) (n)" names the zone BRT',
      '--timezone',
    ],
    [
      'two columns of statuses that differ',
      'time,order_status,auth_status,count\n2026-11-21 12:00,completed,denied,5\n',
      '"order_status" and "auth_status" both hold statuses, and differ',
      '--columns status="order_status" or --columns status="auth_status"',
    ],
    [
      'two columns of statuses without such a name',
      'time,kind,answer,count\n2026-11-21 12:00,Refused,Declined,5\n',
      'Statuses stand in more than one column',
      '--columns status="kind" or --columns status="answer"',
    ],
    [
      'a count that is the same beside each code of a status',
      `time,status,code,n,qty\n${Array.from({ length: 12 }, (_, at) => `2026-11-21 12:${10 + at},denied,51,${at + 6},4\n2026-11-21 12:${10 + at},denied,05,${at + 6},${at + 2}`).join('\n')}\n`,
      '"n" and "qty" both hold whole numbers, and either may be the count',
      '--columns count=n or --columns count=qty',
    ],
    [
      'a column of what may be several statuses',
      'time,OK,NOK\n2026-11-21 12:00,116,6\n',
      '"NOK" may hold counts of a status that is not known',
      '"NOK: denied" or "NOK: ignore"',
    ],
    [
      'thousands without quotes',
      'time,status,count,\n2026-11-21 12:00,denied,1,050\n',
      'the numbers of count are cut in two',
      'must be in quotes',
    ],
    [
      'a number of a transaction, or how many there were',
      `time,status,total\n${Array.from({ length: 20 }, (_, at) => `2026-11-21 12:00:${at + 10},denied,${at}`).join('\n')}\n`,
      'times have seconds, so each row may be one transaction, and "total" a number of it',
      '--columns count=total',
    ],
    [
      'a number of items beside the number of a transaction',
      `id,time,status,quantity\n${Array.from({ length: 20 }, (_, at) => `${at},2026-11-21 12:00:${at + 10},denied,${at % 3}`).join('\n')}\n`,
      'times have seconds, so each row may be one transaction, and "quantity" a number of it',
      '--columns count=quantity',
    ],
    [
      'a column of a status that is not known beside others',
      'time,approved,semi declined,failed\n2026-11-21 12:00,116,6,1\n',
      '"semi declined" may hold counts of a status that is not known',
      '"semi declined: denied" or "semi declined: ignore"',
    ],
    [
      'yes or no beside a count',
      'time,is_approved,count\n2026-11-21 12:00,1,116\n2026-11-21 12:00,0,6\n',
      '"is_approved" says yes or no of each row, and nothing says what a no means',
      '--columns status=is_approved, and --status-map with a file of lines such as "1: approved" and "0: denied"',
    ],
    [
      'grouped numbers without a name',
      'time;status;foo\n2026-11-21 12:00;denied;1.164\n2026-11-21 12:01;denied;6\n',
      'no column is named as a count',
      '--columns count=foo',
    ],
    [
      'two numbers of which either may be the count',
      'time,status,total,value\n2026-11-21 12:00,denied,5,60\n2026-11-21 12:01,denied,6,70\n',
      '"total" and "value" both hold whole numbers, and either may be the count',
      '--columns count=total or --columns count=value',
    ],
    [
      'a number that may have been rounded',
      'time,status,count\n2026-11-21 12:00,denied,1.05E+03\n',
      'may have been rounded',
      'number format',
    ],
    [
      'a zone in the name of a column that may be several',
      'hora_brt,status,count\n2026-11-21 12:00,denied,5\n',
      'names the zone BRT, which may mean several',
      '--timezone',
    ],
    [
      'an offset without a sign',
      'time_utc_3,status,count\n2026-11-21 12:00,denied,5\n',
      'names an offset without + or -',
      '--timezone',
    ],
    [
      'epoch seconds, or a time without a year',
      'time,status,count\n1121130000,denied,5\n',
      'is a time without a year (MMDDhhmmss), or epoch seconds before 2011',
      '--date-format s, or with --date',
    ],
    [
      'a month, or hundredths',
      'time,status,count\n11211305,denied,5\n',
      'may be MMDDhhmm or hhmmssff',
      '--date-format',
    ],
    [
      'a date of six digits',
      'date,time,status,count\n261121,130501,denied,5\n',
      'a date of which any two digits may be the year',
      '2026-11-21',
    ],
    [
      'numbers beside whole hours',
      `date,hour,slot,status,count\n${Array.from({ length: 12 }, (_, at) => `2026-11-21,12,${at},denied,${at}`).join('\n')}\n`,
      'times are whole hours, and "slot" tells rows of an hour apart',
      '--columns date=date,hour=hour,minute=slot',
    ],
    [
      'times that are called local',
      'local_time,status,count\n2026-11-21 12:00,denied,5\n',
      'says that its times are local',
      '--timezone',
    ],
    [
      'a zone in the header that may be several',
      'Time (BRT),status,count\n2026-11-21 12:00,denied,5\n',
      'names the zone BRT, which may mean several',
      '--timezone',
    ],
    [
      'a count without a name',
      'time,status,foo\n2026-11-21 12:00,denied,5\n2026-11-21 12:01,denied,6\n',
      'no column is named as a count',
      '--columns count=foo',
    ],
  ])('is refused with both readings: %s', async (_, file, message, flag) => {
    expect(await problemOf(file)).toContain(message);
    expect(await problemOf(file)).toContain(flag);
  });

  it('is decided by any row of the file, also by its last one', async () => {
    const file =
      'time;status;count\n05/11/2026 12:00;denied;1.050\n05/11/2026 12:00;failed;2\n13/11/2026 12:00;denied;1.000.000\n';
    expect(await minutesOf(file)).toEqual(['2026-11-05T12:00 denied=1050 failed=2', '2026-11-13T12:00 denied=1000000']);
  });

  it('is decided by a flag, and by a profile that holds flags', async () => {
    const file = 'time;status;count\n05/11/2026 12:00;Sonstiges;1.050\n';
    const { said } = await readTexts(
      [file],
      await profile('date-format: "%d/%m/%Y"\ndecimal: ","\nstatus-map: {sonstiges: failed}\n'),
    );
    expect(said).toContain('"Sonstiges" as failed');
    expect(
      await minutesOf(file, {
        dateFormat: 'MM/DD/YYYY',
        decimal: ',',
        statusMap: await textFile('Sonstiges,denied\n'),
      }),
    ).toEqual(['2026-05-11T12:00 denied=1050']);
    const wide = 'time,approved,Paid later\n2026-11-21 12:00,1050,6\n';
    expect(await minutesOf(wide, { statusMap: await textFile('PAID LATER,denied\n') })).toEqual(MINUTES.slice(0, 1));
    await expect(readTexts([file], await profile('colour: red\n'))).rejects.toThrow(
      /--profile .*colour.*\nexpected YAML with columns/s,
    );
  });

  it('is a local hour that clocks have twice or never, named with its rows', async () => {
    const file = 'time,status,count\n2026-10-25 02:30,denied,5\n2026-03-29 02:30,denied,5\n2026-06-01 12:00,denied,1\n';
    const { said, history } = await readTexts([file], { timezone: 'Europe/Berlin' });
    expect(said).toMatch(
      /in an hour that the time zone has twice, .*\(1 row, first at line 2, such as 2026-10-25 02:30\)/,
    );
    expect(said).toMatch(/skips, .*\(1 row, first at line 3, such as 2026-03-29 02:30\)/);
    expect(minuteLines(history)).toContain('2026-06-01T10:00 denied=1');
  });
});

describe('times of a day that --date gives', () => {
  const night = ['23:59', '00:00'];
  const day = ['00:30', '09:00', '12:00', '23:30'];
  const rows = (times: string[], status = 'denied') =>
    times.map((time, at) => `${time},${status},${at + 1}\n`).join('');
  const read = (text: string) => minutesOf(`time,status,count\n${text}`, { date: '2026-11-21' });

  it('go on to the next day after midnight', async () => {
    expect(await read(rows(night))).toEqual(['2026-11-21T23:59 denied=1', '2026-11-22T00:00 denied=2']);
  });

  it('are of one day where another status begins, or rows are in no order', async () => {
    expect(await read(rows(day) + rows(day, 'failed'))).toHaveLength(4);
    const all = Array.from({ length: 48 }, (_, at) => `${String(at >> 1).padStart(2, '0')}:${at % 2 ? 30 : '00'}`);
    expect(await read(rows(all.toReversed()))).toHaveLength(48);
  });

  it('are refused where they may be of two days', async () => {
    const problem = (text: string) => problemOf(`time,status,count\n${text}`, { date: '2026-11-21' });
    const help = 'may go past midnight to the day after --date, or all be of that day in no order';
    expect(await problem(rows(night.toReversed()))).toBe('no problem');
    expect(await problem(rows(['00:01', '00:00', '23:59', '23:58']))).toContain(`line 3: ${'the time of day falls'}`);
    expect(await problem(rows(day) + rows(day))).toContain(help);
    expect(await problem(rows(night) + rows(night, 'failed'))).toContain(help);
  });
});

describe('rows by the hour', () => {
  it('have their minutes in a column of quarters of an hour, or in one that the user names', async () => {
    const quarters = 'date,hour,quarter,status,count\n2026-11-21,12,0,denied,5\n2026-11-21,12,15,denied,6\n';
    const expected = ['2026-11-21T12:00 denied=5', '2026-11-21T12:15 denied=6'];
    expect(await minutesOf(quarters)).toEqual(expected);
    const named = quarters.replace('date,hour,quarter', 'day,hour,x').replaceAll(',12,', ',12h,');
    expect(await minutesOf(named, { columns: 'date=day,hour=hour,minute=x' })).toEqual(expected);
  });

  it.each([
    ['as times', (hour: number) => `2026-11-21 ${String(hour).padStart(2, '0')}:00`],
    ['as hours', (hour: number) => `21/11/2026 ${hour}h`],
    ['one of them late', (hour: number) => `2026-11-21 ${String(hour).padStart(2, '0')}:${hour === 20 ? 17 : '00'}`],
  ])('are named: %s', async (_, time) => {
    const rows = Array.from({ length: 24 }, (_, hour) => `${time(hour)},denied,5`);
    const { said } = await readTexts([`time,status,count\n${rows.join('\n')}\n`]);
    expect(said).toContain('the rows are by the hour, not by minute');
  });
});

describe('hours', () => {
  it('that are 1 to 12 alone may lack AM and PM', async () => {
    const rows = Array.from({ length: 1440 }, (_, at) => {
      const minute = at % 720;
      return `2026-11-${at < 720 ? 21 : 22} ${1 + Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')},denied,5`;
    });
    expect((await readTexts([`time,status,count\n${rows.join('\n')}\n`])).said).toContain(
      'does the export lack AM and PM?',
    );
  });
});

describe('a file twice over', () => {
  const rows = (text: (at: number) => string) => Array.from({ length: 20 }, (_, at) => text(at + 10)).join('\n');
  it.each([
    ['counts', 'time,status,count', (at: number) => `2026-11-21 12:${at},denied,5`],
    [
      'counts beside a column that says nothing',
      'time,status,count,env',
      (at: number) => `2026-11-21 12:${at},denied,5,prod`,
    ],
    ['counts of seconds', 'time,status,count', (at: number) => `2026-11-21 12:0${at % 2}:${at},denied,5`],
    ['transactions with numbers', 'transaction_id,time,status', (at: number) => `${at},2026-11-21 12:00:00,denied`],
  ])('is named within one file: %s', async (_, header, row) => {
    const once = await readTexts([`${header}\n${rows(row)}\n`]);
    expect(once.said).not.toContain('another row has too');
    const twice = await readTexts([`${header}\n${rows(row)}\n${rows(row)}\n`]);
    expect(twice.said).toMatch(/20 (?:counts|rows) of a .* that another row has too/);
  });

  it('is no matter where rows of a minute and status differ by their auth code', async () => {
    const file = 'time,status,code,count\n2026-11-21 12:00,denied,51,4\n2026-11-21 12:00,denied,05,3\n';
    expect((await readTexts([file])).said).not.toContain('another row has too');
    expect((await readTexts([`${file}2026-11-21 12:00,denied,05,3\n`])).said).toContain('another row has too');
  });

  it('is not what rows of totals are, which sum up each minute', async () => {
    const rows = '2026-11-21 12:00,approved,116\n2026-11-21 12:00,denied,6\n2026-11-21 12:00,Total,122\n';
    const { said, history } = await readTexts([`time,status,count\n${rows}`]);
    expect(minuteLines(history)).toEqual(['2026-11-21T12:00 approved=116 denied=6']);
    expect(said).toContain('line 4: a row of totals is no count of its own');
  });

  it('is not what rows of subtotals under each minute are', async () => {
    const rows =
      '2026-11-21 12:00,approved,116\n2026-11-21 12:00,denied,6\n2026-11-21 12:00 Total,,122\nTotal 21/11/2026,,122\n';
    expect(minuteLines((await readTexts([`time,status,count\n${rows}`])).history)).toEqual([
      '2026-11-21T12:00 approved=116 denied=6',
    ]);
  });

  it('is no matter where two words mean one status', async () => {
    const file = 'time,status,count\n2026-11-21 12:00,declined,4\n2026-11-21 12:00,refused,3\n';
    const { said, history } = await readTexts([file]);
    expect(minuteLines(history)).toEqual(['2026-11-21T12:00 denied=7']);
    expect(said).not.toContain('another row has too');
    expect((await readTexts([`${file}2026-11-21 12:00,refused,3\n`])).said).toContain('another row has too');
  });

  it('is no matter where files meet within a minute', async () => {
    const half = (second: number) => `time,status\n2026-11-21 12:00:${second},denied\n`;
    expect((await readTexts([half(10), half(40)])).said).not.toContain('another row has too');
  });
});

describe('rows of totals among the others', () => {
  const acquirers = ['cielo', 'rede'];
  const minutes = Array.from({ length: 12 }, (_, minute) => `2026-11-21 12:${String(minute).padStart(2, '0')}`);
  const each = (count: (minute: number) => number, acquirer: string) =>
    minutes.map((time, minute) => `${time},${acquirer},approved,${count(minute)}`);
  const base = acquirers.flatMap((acquirer, at) => each((minute) => 100 + minute + at, acquirer));
  const counts = minutes.map((_, minute) => 201 + 2 * minute);
  const read = async (rows: string[]) => readTexts([`minute,acquirer,status,count\n${rows.join('\n')}\n`]);
  const approved = (history: History) =>
    [...historyMinutes(history)].map(({ counts: { approved: count } = {} }) => count);

  it.each(['ALL', 'All acquirers', 'Total', '', 'NULL', '*'])(
    'are left out and told where an acquirer is %j and they add up to them',
    async (cell) => {
      const { history, said } = await read([...base, ...each((minute) => counts[minute] ?? 0, cell)]);
      expect(approved(history)).toEqual(counts);
      expect(said).toContain('the last of 12 rows of totals, which are no counts of their own');
    },
  );

  it('are none where they do not add up, or where there are no others', async () => {
    const { history } = await read([...base, ...each((minute) => minute, '')]);
    expect(approved(history)).toEqual(counts.map((count, minute) => count + minute));
    expect(approved((await read(each((minute) => 50 + minute, 'all'))).history)).toEqual(
      minutes.map((_, minute) => 50 + minute),
    );
  });

  it('are none where what is approved has no reason, and is as much as what is denied', async () => {
    const rows = minutes.flatMap((time) => [`${time},,approved,1`, `${time},timeout,denied,1`]);
    const { history } = await readTexts([`minute,reason,status,count\n${rows.join('\n')}\n`]);
    expect(minuteLines(history)[0]).toBe('2026-11-21T12:00 approved=1 denied=1');
  });

  it('are left out where they add up the codes of some statuses alone', async () => {
    const rows = minutes.flatMap((time, minute) => [
      `${time},approved,00,${100 + minute}`,
      `${time},denied,51,4`,
      `${time},denied,05,${minute}`,
      `${time},denied,,${minute + 4}`,
    ]);
    const { history } = await readTexts([`minute,status,code,count\n${rows.join('\n')}\n`]);
    expect(minuteLines(history)[0]).toBe('2026-11-21T12:00 approved=100 denied=4 00=100 05=0 51=4');
  });

  it('are left out with the subtotals of ROLLUP over two columns', async () => {
    const cells = acquirers.flatMap((acquirer) => ['pos', 'web'].map((channel) => [acquirer, channel]));
    const rows = minutes.flatMap((time, minute) => [
      ...cells.map(([acquirer, channel]) => `${time},${acquirer},${channel},approved,${minute + 5}`),
      ...acquirers.map((acquirer) => `${time},${acquirer},,approved,${2 * (minute + 5)}`),
      `${time},,,approved,${4 * (minute + 5)}`,
    ]);
    const { history } = await readTexts([`minute,acquirer,channel,status,count\n${rows.join('\n')}\n`]);
    expect(approved(history)).toEqual(minutes.map((_, minute) => 4 * (minute + 5)));
  });
});

describe('rows of a group beside its members', () => {
  const minutes = Array.from({ length: 24 }, (_, minute) => `2026-11-21 12:${10 + minute}`);
  const total = (minute: number) => 7 + 3 * minute;
  const [few, most] = [(minute: number) => 2 + (minute % 5), (minute: number) => total(minute) - 2 - (minute % 5)];
  const read = (header: string, rows: (time: string, minute: number) => string[]) =>
    readTexts([`${header}\n${minutes.flatMap(rows).join('\n')}\n`]);

  it.each<[string, string, (time: string, minute: number) => string[]]>([
    [
      'a network',
      'minute,acquirer,status,count',
      (time, minute) => [
        `${time},network,denied,${total(minute)}`,
        `${time},a,denied,${few(minute)}`,
        `${time},b,denied,${most(minute)}`,
      ],
    ],
    [
      'two brands, each with its cards',
      'minute,brand,status,count',
      (time, minute) =>
        ['visa', 'mc'].flatMap((brand, at) => [
          `${time},${brand},denied,${at === 0 ? total(minute) - 2 : 2}`,
          `${time},${brand} credit,denied,${at === 0 ? few(minute) : 1}`,
          `${time},${brand} debit,denied,${at === 0 ? most(minute) - 2 : 1}`,
        ]),
    ],
    [
      'an acquirer among its channels',
      'minute,acquirer,channel,status,count',
      (time, minute) => [
        `${time},a,a,denied,${total(minute)}`,
        `${time},a,pos,denied,${few(minute)}`,
        `${time},a,web,denied,${most(minute)}`,
      ],
    ],
    [
      'a status among its reasons',
      'minute,status,count',
      (time, minute) => [
        `${time},declined,${total(minute)}`,
        `${time},soft decline,${few(minute)}`,
        `${time},hard decline,${most(minute)}`,
      ],
    ],
  ])('are left out and told: %s', async (_, header, rows) => {
    const { history, said } = await read(header, rows);
    expect(minuteLines(history).slice(0, 2)).toEqual(['2026-11-21T12:10 denied=7', '2026-11-21T12:11 denied=10']);
    expect(said).toContain('are sums of others');
  });

  it('of two breakdowns of the same counts are told', async () => {
    const { said } = await read('minute,dimension,value,status,count', (time, minute) => [
      `${time},acquirer,a,denied,${few(minute)}`,
      `${time},acquirer,b,denied,${most(minute)}`,
      `${time},brand,visa,denied,${minute}`,
      `${time},brand,mc,denied,${total(minute) - minute}`,
    ]);
    expect(said).toContain('rows with "acquirer" and "brand" in "dimension" count the same in each minute');
  });

  it('of which two say the same are told, and counted', async () => {
    const { history, said } = await read('minute,replica,status,count', (time, minute) => [
      `${time},a,denied,${total(minute)}`,
      `${time},b,denied,${total(minute)}`,
    ]);
    expect(minuteLines(history)[0]).toBe('2026-11-21T12:10 denied=14');
    expect(said).toContain('rows with "a" and "b" in "replica" count the same in each minute');
  });
});

describe('the zone of times, in a column of its own', () => {
  const rows = (zone: string) => `time,timezone,status,count\n2026-11-21 09:00:00,${zone},approved,116\n`;

  it.each(['America/Sao_Paulo', '-03:00', 'UTC-3'])('is read: %s', async (zone) => {
    expect(await minutesOf(rows(zone))).toEqual(['2026-11-21T12:00 approved=116']);
  });

  it('is asked for where it may mean several or is not known, and overruled by --timezone', async () => {
    expect(await problemOf(rows('PST'))).toContain(
      'has the zone PST, which may mean several; say which with --timezone',
    );
    expect(await problemOf(rows('E. South America Standard Time'))).toContain('say the zone with --timezone');
    expect(await minutesOf(rows('BRT'), { timezone: 'America/Sao_Paulo' })).toEqual(['2026-11-21T12:00 approved=116']);
  });
});
