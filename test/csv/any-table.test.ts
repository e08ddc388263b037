import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATUSES, type Status } from '../../src/domain/names.ts';
import { minutesOf } from '../support/read-csv.ts';

const utf16 = (text: string, big = false) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};

/** A frame of zstd with its block as it is, for which nothing need be packed. */
const zstd = (text: string) => {
  const block = Buffer.from(text);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(1 | (block.length << 3));
  return Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), header.subarray(0, 3), block]);
};

describe('any table', () => {
  const spellings: Record<Status, string[]> = {
    approved: ['approved', 'APPROVED', 'Aprovada'],
    denied: ['denied', 'refused', 'NEGADA'],
    failed: ['failed', 'Error'],
    reversed: ['reversed', 'ESTORNADA'],
    backend_reversed: ['backend_reversed', 'Backend-Reversed'],
    refunded: ['refunded', 'Refund'],
    processing: ['processing', 'In progress'],
  };
  const pad = (number: number) => String(number).padStart(2, '0');
  const times: ((date: Date) => string)[] = [
    (date) => date.toISOString(),
    (date) => date.toISOString().slice(0, 19).replace('T', ' '),
    (date) => `${date.toISOString().slice(0, 16).replace('T', ' ')}+00`,
    (date) => String(date.getTime() / 1000),
    (date) => String(date.getTime()),
    (date) => `${date.getTime()}000`,
    (date) => `${date.getTime()}000000`,
    (date) => `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    (date) => `${date.getUTCDate()} Nov ${date.getUTCFullYear()} ${date.toISOString().slice(11, 16)}`,
    (date) => date.toUTCString().replace(',', ''),
    (date) => `${date.toISOString().slice(0, 10).replaceAll('-', '/')} ${date.toISOString().slice(11, 16)}`,
    (date) =>
      `${date.getUTCDate()}.${date.getUTCMonth() + 1}.${date.getUTCFullYear()} ${date.getUTCHours()}:${pad(date.getUTCMinutes())}`,
    (date) => new Date(date.getTime() - 3 * 3_600_000).toISOString().replace('Z', '-03:00'),
  ];
  const numbers: ((count: number, delimiter: string) => string)[] = [
    (count) => String(count),
    (count) => `${count}.0`,
    (count, delimiter) =>
      delimiter === ','
        ? `"${count.toLocaleString('en-US')}"`
        : count.toLocaleString(delimiter === ';' ? 'de-DE' : 'en-US'),
    ...[' ', '\u00a0', '\u202f', "'", '_'].map(
      (sign) => (count: number) => count.toLocaleString('en-US').replaceAll(',', sign),
    ),
  ];
  const dialect = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    newline: fc.constantFrom('\n', '\r\n'),
    encode: fc.constantFrom<(text: string) => Buffer>(
      Buffer.from,
      (text) => Buffer.from(`\ufeff${text}`),
      utf16,
      (text) => utf16(text, true),
      gzipSync,
      (text) => gzipSync(utf16(text)),
      zstd,
      (text) => gzipSync(zstd(text)),
    ),
    quoted: fc.boolean(),
    split: fc.constantFrom('', '', 'Clock time', 'tran_tim'),
    zone: fc.constantFrom<[string, number]>(
      ['', 0],
      ['', 0],
      ['ts_utc_minus_3', -3],
      ['hora_sao_paulo', -3],
      ['GMT+02:00 time', 2],
    ),
    time: fc.constantFrom(...times),
    number: fc.constantFrom(...numbers),
    names: fc.constantFrom(
      ['timestamp', 'status', 'count'],
      ['Time', 'STATE', 'f0_'],
      ['datetime', 'Result', 'Qty'],
      ['minute', 'status', 'n'],
    ),
    index: fc.constantFrom('', '', 'Unnamed: 0', 'row', '#'),
    said: fc.boolean(),
    until: fc.constantFrom<[string, string]>(['', ''], ['', ''], ['window_start', 'window_end'], ['von', 'bis']),
    total: fc.boolean(),
    further: fc.boolean(),
    wide: fc.boolean(),
    spelling: fc.nat(2),
  });
  const rows = fc.array(
    fc.record({
      // From the 13th on, so that a day is no month.
      minute: fc.integer({ min: Date.UTC(2026, 10, 13) / 60_000, max: Date.UTC(2026, 10, 28) / 60_000 }),
      status: fc.constantFrom(...STATUSES),
      count: fc.oneof(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 3_000_000 })),
    }),
    { minLength: 1, maxLength: 30 },
  );

  it('gives back its counts in whatever dialect it is written', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        dialect,
        async (given, { delimiter, newline, encode, time, number, names, wide, spelling, ...written }) => {
          const { index, said, until, total, further, quoted, split, zone } = written;
          // A small number beside: without one, 1.050 alone may be one or a thousand, and that is
          // refused.
          const all = [...given, { minute: Date.UTC(2026, 10, 29) / 60_000, status: 'approved' as const, count: 7 }];
          const expected = new Map<number, Map<Status, number>>();
          for (const { minute, status, count } of all) {
            const counts = expected.get(minute) ?? new Map();
            expected.set(minute, counts.set(status, (counts.get(status) ?? 0) + count));
          }
          const isInterval = until[0] !== '' && split === '' && zone[0] === '';
          const at = (minute: number) => {
            const date = new Date(minute * 60_000).toISOString();
            const clock = date.slice(11, 16);
            if (split !== '')
              return [date.slice(0, 10), split === 'tran_tim' ? `${clock.replace(':', '')}0199` : clock];
            if (isInterval) return [minute, minute + 1].map((one) => time(new Date(one * 60_000)));
            const local = new Date((minute + 60 * zone[1]) * 60_000).toISOString();
            return [zone[0] === '' ? time(new Date(date)) : local.slice(0, 16).replace('T', ' ')];
          };
          const timeNames = split === '' ? (isInterval ? until : [zone[0] || (names[0] ?? '')]) : ['Date', split];
          const inQuotes = (cell: string) => (quoted && !cell.startsWith('"') ? `"${cell}"` : cell);
          const word = (status: Status) => spellings[status][spelling % spellings[status].length] ?? status;
          const sumOf = (status: Status) => all.reduce((sum, row) => sum + (row.status === status ? row.count : 0), 0);
          const [header = [], ...rows] = wide
            ? [
                [...timeNames, ...STATUSES.map(word)],
                ...[...expected].map(([minute, counts]) => [
                  ...at(minute),
                  ...STATUSES.map((status) => (counts.has(status) ? number(counts.get(status) ?? 0, delimiter) : '')),
                ]),
              ]
            : [
                [...timeNames, ...names.slice(1)],
                ...all.map(({ minute, status, count }) => [...at(minute), word(status), number(count, delimiter)]),
              ];
          const sums = wide ? STATUSES.map(sumOf) : [all.reduce((sum, { count }) => sum + count, 0)];
          const nothing = header.slice(1, header.length - sums.length).map(() => '');
          const footer = ['Total', ...nothing, ...sums.map((sum) => number(sum, delimiter))];
          const table = [...rows, ...(total ? [footer] : [])].map((cells, row) => [
            ...(index === '' ? [] : [cells === footer ? '' : String(row)]),
            ...cells,
            ...(further ? ['id 1'] : []),
          ]);
          const first = [...(index === '' ? [] : [index]), ...header, ...(further ? ['note'] : [])];
          const lines = [first, ...table].map((cells) => cells.map(inQuotes).join(delimiter));
          const content = encode([...(said ? [`sep=${delimiter}`] : []), ...lines].join(newline));
          const read = await minutesOf(content);
          expect(read).toEqual(
            [...expected]
              .sort(([a], [b]) => a - b)
              .map(([minute, counts]) =>
                [
                  new Date(minute * 60_000).toISOString().slice(0, 16),
                  ...[...counts].map(([status, count]) => `${status}=${count}`).sort(),
                ].join(' '),
              ),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives back its counts where times have no day, on the day after midnight too', async () => {
    const start = Date.UTC(2026, 10, 21) / 60_000;
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 2, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(times, fc.constantFrom(':', 'h '), async (minutes, sign) => {
        const night = [...minutes.map((minute) => 1380 + minute), ...minutes.map((minute) => 1440 + minute)];
        const all = night
          .sort((a, b) => a - b)
          .map((minute) => new Date((start + minute) * 60_000).toISOString().slice(0, 16));
        const lines = all.map((time, at) => `${time.slice(11).replace(':', sign)},denied,${at + 1}`);
        const read = await minutesOf(`time,status,count\n${lines.join('\n')}\n`, { date: '2026-11-21' });
        expect(read).toEqual(all.map((time, at) => `${time} denied=${at + 1}`));
      }),
      { numRuns: 30 },
    );
  });

  it('gives back its counts in lines of uniq -c, and in columns made by spaces', async () => {
    const layout = fc.constantFrom<(time: string, status: Status, count: number) => string>(
      (time, status, count) => `${String(count).padStart(7)} ${time} ${status}`,
      (time, status, count) => `${String(count).padStart(7)} ${status} ${time}`,
      (time, status, count) => `${String(count).padStart(7)} ${time},${status}`,
      (time, status, count) => `${String(count).padStart(7)} "${time}";"${status}"`,
      (time, status, count) => `${time.padEnd(26)}${status.padEnd(18)}${String(count).padStart(7)}`,
      (time, status, count) => `${time} ${status} ${count}`,
    );
    const time = fc.constantFrom<(minute: number) => string>(
      (minute) => new Date(minute * 60_000).toISOString(),
      (minute) => new Date(minute * 60_000).toISOString().slice(0, 16).replace('T', ' '),
      (minute) => new Date(minute * 60_000).toISOString().slice(0, 19).replace('T', ' '),
      (minute) => String(minute * 60),
    );
    await fc.assert(
      fc.asyncProperty(rows, layout, time, async (given, lineOf, spell) => {
        const each = [...new Map(given.map((row) => [`${row.minute} ${row.status}`, row])).values()];
        const text = each.map(({ minute, status, count }) => lineOf(spell(minute), status, count)).join('\n');
        expect((await minutesOf(`${text}\n`)).join('\n').split(/[\n ]/).sort()).toEqual(
          each
            .flatMap(({ minute, status, count }) => [
              new Date(minute * 60_000).toISOString().slice(0, 16),
              `${status}=${count}`,
            ])
            .filter((word, at, all) => word.includes('=') || all.indexOf(word) === at)
            .sort(),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('gives back its counts without rows of totals, by slice or together', async () => {
    const acquirers = ['acme', 'globex', 'initech'];
    const statuses = ['approved', 'denied'] as const;
    const counts = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 72, maxLength: 72 });
    const total = fc.constantFrom('', 'ALL', 'Total', '(all)', 'NULL');
    await fc.assert(
      fc.asyncProperty(counts, total, fc.boolean(), async (numbers, word, bySlice) => {
        const lines: string[] = [];
        const expected = Array.from({ length: 12 }, (_, at) => {
          const time = `2026-11-21T12:${10 + at}`;
          const cells = acquirers.map((acquirer, one) => ({
            acquirer,
            counts: statuses.map((status, two) => ({ status, count: numbers[at * 6 + one * 2 + two] ?? 0 })),
          }));
          const sums = statuses.map((status, two) => ({
            status,
            count: cells.reduce((sum, { counts: own }) => sum + (own[two]?.count ?? 0), 0),
          }));
          for (const { acquirer, counts: own } of [...cells, { acquirer: word, counts: sums }])
            for (const { status, count } of own) lines.push(`${time},${acquirer},${status},${count}`);
          const pairs = (own: typeof sums) => own.map(({ status, count }) => `${status}=${count}`).join(' ');
          const slices = cells.map(({ acquirer, counts: own }) => `{"acquirer":"${acquirer}"} ${pairs(own)}`);
          return `${time} ${bySlice ? slices.join(' ') : pairs(sums)}`;
        });
        const text = `time,acquirer,status,count\n${lines.join('\n')}\n`;
        expect(await minutesOf(text, bySlice ? { dimensions: 'acquirer' } : {})).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('gives back its auth codes, which a spreadsheet has robbed of their zeros', async () => {
    const codes = ['00', '05', '14', '51', '57', '91'];
    const counts = fc.array(fc.nat(500), { minLength: 6, maxLength: 6 });
    const name = fc.constantFrom('auth_code', 'Response Code', 'DE39', 'codigo_resposta');
    await fc.assert(
      fc.asyncProperty(fc.array(counts, { minLength: 1, maxLength: 9 }), name, async (minutes, header) => {
        const time = (at: number) => `2026-11-21T12:${10 + at}`;
        const rows = minutes.flatMap((own, at) =>
          own.map((count, one) => `${time(at)};${Number(codes[one])};${count}`),
        );
        expect(await minutesOf(`time;${header};count\n${rows.join('\n')}\n`)).toEqual(
          minutes.map((own, at) => [time(at), ...own.map((count, one) => `${codes[one]}=${count}`)].join(' ')),
        );
      }),
      { numRuns: 30 },
    );
  });
});
