import { execFile } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, readCsv } from '../src/csv.ts';
import { tempDir } from './support/temp-dir.ts';

const read = (text: string, options: CsvOptions = {}) => readCsv('-', { ...options, stdin: Readable.from([text]) });

/** What was read, as `time key=count ...` lines. */
const minutesOf = async (text: string, options: CsvOptions = {}) => {
  const history = await read(text, options);
  return [...history.minutes()].map(({ minute, counts, authCodes }) => {
    const values = Object.entries(counts ?? authCodes ?? {}).map(([key, count]) => `${key}=${count}`);
    return [new Date(minute * 60_000).toISOString().slice(0, 16), ...values.sort()].join(' ');
  });
};
const problemOf = (text: string, options: CsvOptions = {}) =>
  read(text, options).then(
    () => 'no problem',
    (error: Error) => error.message,
  );

describe('readCsv', () => {
  it('reads counts by status, UTC unless an offset is given', async () => {
    const file = [
      'timestamp,status,count',
      '2025-07-12 13:45:00,approved,116',
      '2025-07-12T13:45:00Z,denied,6',
      '2025-07-12T10:46:00-03:00,approved,5',
      '2025-07-12 13:47,processing,0',
    ];
    expect(await minutesOf(file.join('\n'))).toEqual([
      '2025-07-12T13:45 approved=116 denied=6',
      '2025-07-12T13:46 approved=5',
      '2025-07-12T13:47 processing=0',
    ]);
  });

  it('reads times such as 13h 05 of a date', async () => {
    const file = 'time,status,F1\n13h 05,approved,9\n00h 00,reversed,1\n';
    expect(await minutesOf(file, { date: '2025-07-12' })).toEqual([
      '2025-07-12T00:00 reversed=1',
      '2025-07-12T13:05 approved=9',
    ]);
  });

  it('reads auth codes, keeping leading zeros', async () => {
    const file = 'timestamp,auth_code,count\n2025-07-12 13:45:00,00,116\n2025-07-12 13:45:00,51,3\n';
    const history = await read(file);
    expect([history.kind, history.keys]).toEqual(['auth_code', ['00', '51']]);
    expect([...history.minutes()].map(({ authCodes }) => authCodes)).toEqual([{ '00': 116, '51': 3 }]);
  });

  it('takes a BOM, CRLF, quotes, blank lines and columns in another order', async () => {
    const file =
      '\ufeffcount,"status",timestamp\r\n7,"denied","2025-07-12 13:45:00"\r\n\r\n8 , failed,2025-07-12 13:46:00';
    expect(await minutesOf(file)).toEqual(['2025-07-12T13:45 denied=7', '2025-07-12T13:46 failed=8']);
  });

  it('sorts rows by time, and adds up those of the same minute and status', async () => {
    const rows = ['2025-07-12 13:46:10,denied,1', '2025-07-11 09:00:00,denied,5', '2025-07-12 13:46:59,denied,2'];
    const history = await read(`timestamp,status,count\n${rows.join('\n')}`);
    expect([...history.minutes()].map(({ counts }) => counts?.denied)).toEqual([5, 3]);
    expect(history).toMatchObject({
      rows: 3,
      from: Date.UTC(2025, 6, 11, 9) / 60_000,
      to: Date.UTC(2025, 6, 12, 13, 47) / 60_000,
    });
  });

  it.each([
    [
      'an unknown status',
      '2025-07-12 13:45:00,declined,1',
      'line 3: status "declined": is not one of the statuses approved',
    ],
    ['a negative count', '2025-07-12 13:45:00,denied,-1', 'line 3: count "-1": is negative'],
    ['a fraction', '2025-07-12 13:45:00,denied,1.5', 'line 3: count "1.5": is not a whole number'],
    ['an unsafe integer', '2025-07-12 13:45:00,denied,9007199254740993', 'count "9007199254740993": is too large'],
    ['a count in words', '2025-07-12 13:45:00,denied,many', 'line 3: count "many": is not a number'],
    ['a count in hexadecimal', '2025-07-12 13:45:00,denied,0x10', 'line 3: count "0x10": is not a number'],
    ['a missing count', '2025-07-12 13:45:00,denied,', 'line 3: count "": is missing'],
    ['a date alone', '2025-07-12,denied,1', 'line 3: timestamp "2025-07-12": is no time'],
    [
      'a day that does not exist',
      '2025-02-30 10:00:00,denied,1',
      'line 3: timestamp "2025-02-30 10:00:00": is no time',
    ],
    [
      'an hour that does not exist',
      '2025-07-12 25:00:00,denied,1',
      'line 3: timestamp "2025-07-12 25:00:00": is no time',
    ],
    [
      'a time without a day',
      '13h 05,denied,1',
      'line 3: timestamp "13h 05": is a time without a day; say which day with --date',
    ],
    ['a field too few', '2025-07-12 13:45:00,denied', 'line 3: row "2025-07-12 13:45:00,denied": has 2 fields, not 3'],
    ['a field too many', '2025-07-12 13:45:00,denied,1,000', 'has 4 fields, not 3'],
  ])('refuses the whole file for %s, by line, column and value', async (_, row, message) => {
    const file = `timestamp,status,count\n2025-07-12 13:44:00,denied,1\n${row}\n`;
    expect(await problemOf(file)).toContain(message);
    expect(await problemOf(file)).toContain('stdin: 1 bad row, nothing was taken');
    const skipped = await read(file, { skipBadRows: true });
    expect(skipped).toMatchObject({ rows: 1, skipped: 1 });
    expect(skipped.problems[0]).toMatchObject({ line: 3 });
  });

  it('refuses an auth code that is none, and a clock time that is none', async () => {
    expect(await problemOf('timestamp,auth_code,count\n2025-07-12 13:45:00,5 1,1')).toContain(
      'auth_code "5 1": is no auth code',
    );
    expect(await problemOf('time,status,F1\n24h 00,denied,1', { date: '2025-07-12' })).toContain('is no time of day');
  });

  it('refuses a sum that could not be counted exactly', async () => {
    const rows = Array.from({ length: 10 }, () => '2025-07-12 13:45:00,denied,999999999999999');
    expect(await problemOf(`timestamp,status,count\n${rows.join('\n')}\n`)).toContain(
      'line 11: count "999999999999999"',
    );
  });

  it('reports the first ten bad rows, then how many more', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => `2025-07-12 13:45:00,denied,-${index}`);
    const message = await problemOf(`timestamp,status,count\n${rows.join('\n')}\n`);
    expect(message.split('\n')).toHaveLength(13);
    expect(message).toContain('25 bad rows, nothing was taken:\n  line 2: count "-0": is negative');
    expect(message).toContain('\n  line 11: count "-9": is negative\n  and 15 more\n');
    expect(message).toContain('--skip-bad-rows');
  });

  it.each([
    ['an empty file', '', 'stdin: is empty; expected a header such as timestamp,status,count'],
    ['a header alone', 'timestamp,status,count\n', 'stdin: has no rows under its header'],
    [
      'no header',
      '2025-07-12 13:45:00,approved,116\n',
      'line 1: the header is "2025-07-12 13:45:00,approved,116"; expected',
    ],
    ['another header', 'a;b;c\n1;2;3\n', 'line 1: the header is "a;b;c"; expected the columns timestamp,status,count'],
    ['one column twice', 'status,auth_code,count\n', 'expected the columns'],
    [
      'a quote that is never closed',
      'timestamp,status,count\n"2025-07-12 13:45:00,denied,1\n',
      'a quote that is never closed',
    ],
  ])('refuses %s even when bad rows are skipped', async (_, text, message) => {
    expect(await problemOf(text, { skipBadRows: true })).toContain(message);
  });

  it('refuses a file of bad rows alone, a date that is none and a file that is not there', async () => {
    expect(await problemOf('timestamp,status,count\nx,y,z\n', { skipBadRows: true })).toBe('stdin: has no good row');
    expect(await problemOf('time,status,F1\n13h 05,denied,1\n', { date: '12/07/2025' })).toContain(
      '--date 12/07/2025 is no date',
    );
    await expect(readCsv('/nonexistent/t.csv')).rejects.toThrow('/nonexistent/t.csv: no such file');
    await expect(readCsv(tmpdir())).rejects.toThrow('is a folder, not a file');
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
    await expect(readCsv('-', { stdin: endless, signal: stop.signal })).rejects.toThrow('interrupted');
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
    const module = fileURLToPath(new URL('../dist/csv.js', import.meta.url));
    writeFileSync(
      script,
      `import { readCsv } from ${JSON.stringify(module)};
       const history = await readCsv(${JSON.stringify(file)});
       let [minutes, approved] = [0, 0];
       for (const { counts } of history.minutes()) { minutes++; approved += counts.approved; }
       console.log(JSON.stringify({ rows: history.rows, minutes, approved }));`,
    );
    // An array of a million row objects takes some 200 MB; Node alone takes a tenth of that.
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=48', script]);
    let approved = 0;
    for (let row = 0; row < 1_000_000; row += 2) approved += row % 7;
    expect(JSON.parse(stdout)).toEqual({ rows: 1_000_000, minutes: 100_000, approved });
  });
});
