import { execFile } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../src/csv/source.ts';
import { minutesOf, problemOf, readTexts } from '../support/read-csv.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('reading counts by minute', () => {
  it('reads counts by status, UTC unless an offset is given', async () => {
    const file = [
      'timestamp,status,count',
      '2025-07-12 13:45:00,approved,116',
      '2025-07-12T13:45:00Z,denied,6',
      '2025-07-12 13:46 UTC,approved,5',
      '2025-07-12 13:47,processing,0',
    ];
    expect(await minutesOf(file.join('\n'))).toEqual([
      '2025-07-12T13:45 approved=116 denied=6',
      '2025-07-12T13:46 approved=5',
      '2025-07-12T13:47 processing=0',
    ]);
    expect(await minutesOf('timestamp,status,count\n2025-07-12T10:46:00-03:00,approved,5\n')).toEqual([
      '2025-07-12T13:46 approved=5',
    ]);
  });

  it('refuses times of which some have an offset, with both readings, unless the zone of the others is said', async () => {
    const file = 'timestamp,status,count\n2025-07-12T10:46:00-03:00,approved,5\n2025-07-12 13:47,denied,1\n';
    const problem = await problemOf(file);
    expect(problem).toContain('line 3: "2025-07-12 13:47" has no offset');
    expect(problem).toContain('may be 2025-07-12 13:47 UTC or, as at -03:00, 2025-07-12 16:47 UTC; line 2 has one');
    expect(problem).toContain('--timezone UTC or --timezone -03:00');
    expect(await minutesOf(file, { timezone: '-03:00' })).toEqual([
      '2025-07-12T13:46 approved=5',
      '2025-07-12T16:47 denied=1',
    ]);
  });

  it('reads times such as 13h 05 of a date', async () => {
    const file = 'time,status,F1\n13h 05,approved,9\n00h 00,reversed,1\n13:06:59,denied,2\n1:07 PM,denied,3\n';
    expect(await minutesOf(file, { date: '2025-07-12' })).toEqual([
      '2025-07-12T00:00 reversed=1',
      '2025-07-12T13:05 approved=9',
      '2025-07-12T13:06 denied=2',
      '2025-07-12T13:07 denied=3',
    ]);
  });

  it('reads auth codes, and gives back the zero that a spreadsheet took', async () => {
    const file =
      'timestamp,auth_code,count\n2025-07-12 13:45:00,0,116\n2025-07-12 13:45:00,51,3\n2025-07-12 13:45,5,2\n';
    expect(await minutesOf(file)).toEqual(['2025-07-12T13:45 00=116 05=2 51=3']);
  });

  it('reads statuses and auth codes of one file, each row one transaction where there is no count', async () => {
    const file =
      'at,status,response_code\n2025-07-12 13:45:01,APPROVED,00\n2025-07-12 13:45:02,refused,51\n2025-07-12 13:45:03,failed,\n';
    expect(await minutesOf(file)).toEqual(['2025-07-12T13:45 approved=1 denied=1 failed=1 00=1 51=1']);
  });

  it('sorts rows by time, and adds up those of the same minute and status', async () => {
    const rows = ['2025-07-12 13:46:10,denied,1', '2025-07-11 09:00:00,denied,5', '2025-07-12 13:46:59,denied,2'];
    expect(await minutesOf(`timestamp,status,count\n${rows.join('\n')}`)).toEqual([
      '2025-07-11T09:00 denied=5',
      '2025-07-12T13:46 denied=3',
    ]);
  });

  it.each([
    [
      'an unknown status',
      '2025-07-12 13:45:00,odd,1',
      'line 3: status "odd": is no status that is known (1 row); say what it means',
    ],
    ['a negative count', '2025-07-12 13:45:00,denied,-1', 'line 3: count "-1": is negative; expected a whole number'],
    ['a fraction', '2025-07-12 13:45:00,denied,1.5', 'line 3: count "1.5": is not a whole number'],
    ['an unsafe integer', '2025-07-12 13:45:00,denied,9007199254740993', 'is too large to be counted exactly'],
    ['a count in words', '2025-07-12 13:45:00,denied,many', 'line 3: count "many": is not a number'],
    ['a count in hexadecimal', '2025-07-12 13:45:00,denied,0x10', 'line 3: count "0x10": is not a number'],
    ['a missing count', '2025-07-12 13:45:00,denied,', 'line 3: count "": is missing'],
    ['a date alone', '2025-07-12,denied,1', 'line 3: timestamp "2025-07-12": is a date without a time of day'],
    ['a day that does not exist', '2025-02-30 10:00:00,denied,1', 'is no day of the calendar'],
    [
      'an hour that does not exist',
      '2025-07-12 25:00:00,denied,1',
      'line 3: timestamp "2025-07-12 25:00:00": is no time of day',
    ],
    ['a time without a day', '13h 05,denied,1', 'is a time without a day; say which day with --date'],
    ['a field too few', '2025-07-12 13:45:00,denied', 'line 3: row "2025-07-12 13:45:00,denied": has 2 fields, not 3'],
    [
      'a number with an unquoted comma',
      '2025-07-12 13:45:00,denied,1,000',
      'has 4 fields, not 3; a number with a comma',
    ],
  ])('refuses the whole file for %s, by line, column and value', async (_, row, message) => {
    const file = `timestamp,status,count\n2025-07-12 13:44:00,denied,1\n${row}\n`;
    const problem = await problemOf(file);
    expect(problem).toContain(message);
    expect(problem).toContain('0.csv: 1 bad row, nothing was taken');
    const { history, said } = await readTexts([file], { skipBadRows: true });
    expect(history).toMatchObject({ rows: 1, skipped: 1 });
    expect(said).toContain('left out 1 bad row:\n  line 3: ');
  });

  it('reports the first twenty bad rows, each unknown word once, then how many more', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => `2025-07-12 13:45:00,denied,-${index}`);
    const message = await problemOf(`timestamp,status,count\n${rows.join('\n')}\n`);
    expect(message.split('\n')).toHaveLength(23);
    expect(message).toContain('25 bad rows, nothing was taken:\n  line 2: count "-0": is negative');
    expect(message).toContain(
      '\n  line 21: count "-19": is negative; expected a whole number of 0 or more\n  and 5 more\n',
    );
    const words = Array.from({ length: 30 }, (_, index) => `2025-07-12 13:45:00,${index % 2 ? 'odd' : 'even'},1`);
    expect(await problemOf(`timestamp,status,count\n${words.join('\n')}\n`)).toMatch(
      /^0\.csv: 30 bad rows, nothing was taken:\n {2}line 2: status "even": .*\(15 rows\).*\n {2}line 3: status "odd": .*\(15 rows\).*\nCorrect the file/,
    );
  });

  it.each([
    ['an empty file', '', '0.csv: is empty; expected a header such as timestamp,status,count'],
    ['a header alone', 'timestamp,status,count\n', '0.csv: has no rows under its header'],
    [
      'no header',
      '2025-07-12 13:45:00,approved,116,5\n',
      'line 1: the header is "2025-07-12 13:45:00,approved,116,5"; it is a row, not a header: it holds a time',
    ],
    [
      'rows alone, with numbers that might be codes',
      '2025-07-12 13:45:00,116,3,2\n2025-07-12 13:46:00,120,4,1\n',
      'it is a row',
    ],
    ['another header', 'a;b;c\n1;2;3\n', 'line 1: the header is "a;b;c"; no column is named as a time'],
    [
      'a quote that is never closed',
      'timestamp,status,count\n"2025-07-12 13:45:00,denied,1\n',
      'line 2: begins a row longer than 100000 bytes: either a quote is never closed',
    ],
    [
      'a workbook',
      Buffer.from('504b030400000000', 'hex'),
      'is a zip archive or a workbook (.xlsx): unpack it, or save the sheet as CSV',
    ],
    [
      'JSON',
      '[{"timestamp": "2025-07-12T13:45:00Z", "status": "denied"}]',
      "is JSON; expected CSV. Convert it, as jq -r '.[] | [.timestamp, .status, .count] | @csv' does",
    ],
    ['bad rows alone', 'timestamp,status,count\nx,y,z\n', 'has no good row'],
  ])('refuses %s even when bad rows are skipped', async (_, content, message) => {
    expect(await problemOf(content, { skipBadRows: true })).toContain(message);
  });

  it('refuses a date that is none and a file that is not there', async () => {
    await expect(readTexts([''], { date: '2025-02-30' })).rejects.toThrow('--date 2025-02-30 is no date');
    await expect(openSource('/nonexistent/t.csv')).rejects.toThrow('/nonexistent/t.csv: no such file');
    await expect(openSource(tmpdir())).rejects.toThrow('is a folder, not a file');
  });

  it('stops reading when it is told to', async () => {
    const stop = new AbortController();
    const endless = Readable.from(
      (function* () {
        yield 'timestamp,status,count\n';
        for (let row = 0; ; row++) {
          if (row === 10_000) stop.abort();
          yield '2025-07-12 13:45:00,denied,1\n';
        }
      })(),
    );
    await expect(openSource('-', { stdin: endless, signal: stop.signal })).rejects.toThrow('interrupted');
  });

  it('reads a million rows in the memory of their minutes', async () => {
    const dir = await tempDir();
    const file = join(dir, 'million.csv');
    const pieces = function* () {
      yield 'timestamp,status,count\n';
      for (let row = 0; row < 1_000_000; row++) {
        const time = new Date(Date.UTC(2025, 0, 1) + Math.floor(row / 10) * 60_000).toISOString();
        yield `${time},${row % 2 === 0 ? 'approved' : 'denied'},${row % 7}\n`;
      }
    };
    await pipeline(Readable.from(pieces()), createWriteStream(file));
    const script = join(dir, 'read.mjs');
    const module = (name: string) =>
      JSON.stringify(fileURLToPath(new URL(`../../dist/csv/${name}.js`, import.meta.url)));
    writeFileSync(
      script,
      `import { openSource } from ${module('source')};
       import { readCounts } from ${module('read')};
       const { rows, statuses } = await readCounts(await openSource(${JSON.stringify(file)}));
       const approved = statuses.all().find(({ key }) => key === 'approved').total;
       console.log(JSON.stringify({ rows, approved }));`,
    );
    // An array of a million row objects takes some 200 MB; Node alone takes a tenth of that.
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=48', script]);
    let approved = 0;
    for (let row = 0; row < 1_000_000; row += 2) approved += row % 7;
    expect(JSON.parse(stdout)).toEqual({ rows: 1_000_000, approved });
  });
});
