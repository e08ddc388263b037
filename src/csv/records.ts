import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import type { Source } from './source.ts';

const MAX_RECORD_BYTES = 100_000;

const optionsFor = ({ head }: Pick<Source, 'head'>, delimiter: string) => ({
  delimiter,
  ...quotesIn(head),
  bom: true,
  trim: true,
  skip_empty_lines: true,
  relax_column_count: true,
  relax_quotes: true,
  max_record_size: MAX_RECORD_BYTES,
  // A carriage return that comes later is trimmed.
  record_delimiter: head.includes('\r') ? ['\r\n', '\n', '\r'] : ['\n'],
});

/** Cells without the blanks that some programs write within quotes: `" 116 "`. */
const unpadded = ({ head }: Pick<Source, 'head'>): ((cells: string[]) => string[]) =>
  /"[ \t]+[^",;\t|]*"|"[^",;\t|]*[ \t]+"/.test(head) ? (cells) => cells.map((cell) => cell.trim()) : (cells) => cells;

/** Quotes within quoted cells are doubled, or follow a backslash; cells may be in single quotes. */
const quotesIn = (head: string) => ({
  ...(/[^\\]\\"/.test(head) && { escape: '\\' }),
  ...(/^\ufeff?'[^'\r\n]*'(?:.'[^'\r\n]*')+\r?$/m.exec(head)?.index === 0 && { quote: "'" }),
});

/**
 * Hands on every record of a file, the header and what stands before it included, with its number
 * from 0 on. Numbers count records: `linesOf` tells their lines, which would take three times as
 * long to follow for each of them.
 * @throws with the file's name; also what `take` throws
 */
export function eachRecord(
  source: Source,
  delimiter: string,
  take: (cells: string[], number: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const parser = parse(optionsFor(source, delimiter));
    const bare = unpadded(source);
    let number = 0;
    // Asking for one record after the other takes a third less time than an asynchronous loop.
    parser.on('readable', () => {
      try {
        for (let cells = parser.read(); cells !== null; cells = parser.read()) take(bare(cells as string[]), number++);
      } catch (error) {
        reject(error);
        parser.destroy();
      }
    });
    pipeline(Readable.from(source.read()), parser, (error) =>
      error ? explained(error, source, delimiter).then(reject, reject) : resolve(),
    );
  });
}

/** The line on which each of these records ends, by record number. */
export async function linesOf(
  source: Source,
  delimiter: string,
  numbers: ReadonlySet<number>,
): Promise<Map<number, number>> {
  const lines = new Map<number, number>();
  const last = Math.max(...numbers);
  let number = 0;
  for await (const record of parsed(source, { ...optionsFor(source, delimiter), info: true, to: last + 1 })) {
    if (numbers.has(number)) lines.set(number, (record as { info: { lines: number } }).info.lines);
    if (number++ >= last) break;
  }
  return lines;
}

/** The parser fails with whatever its source fails with. */
const parsed = (source: Source, options: object): AsyncIterable<unknown> =>
  pipeline(Readable.from(source.read()), parse(options), () => {});

async function explained(error: unknown, source: Source, delimiter: string): Promise<unknown> {
  const { code, message, records = 0 } = error as { code?: string; message: string; records?: number };
  if (!code?.startsWith('CSV_')) return error;
  if (code !== 'CSV_QUOTE_NOT_CLOSED' && code !== 'CSV_MAX_RECORD_SIZE')
    return new Error(`${source.name}: ${message}: put quotes around whole cells, and double the quotes within them`);
  const before = records === 0 ? 0 : ((await linesOf(source, delimiter, new Set([records - 1]))).get(records - 1) ?? 0);
  return new Error(
    `${source.name}: line ${before + 1}: begins a row longer than ${MAX_RECORD_BYTES} bytes: either a quote is never closed, or this is no table`,
  );
}

/** The first records of a text that may be cut off. */
export function firstRecords(head: string, delimiter: string, count: number): string[][] {
  const options = { ...optionsFor({ head }, delimiter), to: count };
  const bare = unpadded({ head });
  try {
    return (parseSync(head, options) as string[][]).map(bare);
  } catch {
    // A quote that is open where the text is cut off, or never closed: each line by itself.
    const lines = head.split(/\r?\n|\r/).slice(0, count);
    return lines.flatMap((line) => {
      try {
        return (parseSync(line, options) as string[][]).map(bare);
      } catch {
        return [];
      }
    });
  }
}
