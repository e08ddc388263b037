import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { variable } from '../config/config.ts';
import { UsageError } from '../config/usage-error.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import { statusOf, wordKey } from '../domain/status-words.ts';
import { openZone } from '../domain/zone.ts';
import { messageOf } from '../runtime/log.ts';
import type { ReadOptions } from './read-options.ts';
import { readDelimiter } from './table.ts';
import { readDateFormat, readTime, type TimeOptions } from './times.ts';

/** The way to read files, as it stands on the command line or in a profile. */
export interface FileFlags {
  /** `time=when,status=outcome,count=n`. */
  columns?: string;
  delimiter?: string;
  decimal?: string;
  date?: string;
  dateFormat?: string;
  timezone?: string;
  /** A file of words and what they mean. */
  statusMap?: string;
  /** `acquirer,merchant`, or `all`. */
  dimensions?: string;
  /** A file that holds these flags. */
  profile?: string;
  skipBadRows?: boolean;
  cumulative?: boolean;
}

const words = z.record(z.string(), z.union([z.string(), z.array(z.union([z.string(), z.number()]))]));
const names = z.union([z.string(), z.array(z.string())]);
const profileShape = z.strictObject({
  columns: z.union([z.string(), z.record(z.string(), z.union([z.string(), z.number()]))]).optional(),
  delimiter: z.string().optional(),
  decimal: z.string().optional(),
  date: z.coerce.string().optional(),
  'date-format': z.string().optional(),
  timezone: z.string().optional(),
  'status-map': z.union([z.string(), words]).optional(),
  dimensions: names.optional(),
  'skip-bad-rows': z.boolean().optional(),
  cumulative: z.boolean().optional(),
});

/**
 * Checks the flags and reads the files they name. Time zone and dimensions may also be the service's,
 * out of the environment.
 * @throws UsageError naming the flag and what would be right
 */
export async function readOptions(flags: FileFlags, env: NodeJS.ProcessEnv = {}): Promise<ReadOptions> {
  const profile = flags.profile === undefined ? {} : await readProfile(flags.profile);
  const columns = flags.columns ?? profile.columns;
  const asked = flags.dimensions ?? profile.dimensions;
  // Those of the service are of all its feeds: a file need not have them all.
  const dimensions = asked ?? (env[variable('dimensions')] || undefined);
  const statusMap = flags.statusMap ?? profile['status-map'];
  const [delimiter, decimal] = [flags.delimiter ?? profile.delimiter, flags.decimal ?? profile.decimal];
  return {
    ...(columns !== undefined && { columns: columnsOf(columns) }),
    ...(delimiter !== undefined && { delimiter: delimiterOf(delimiter) }),
    ...(decimal !== undefined && { decimal: decimalOf(decimal) }),
    ...(dimensions !== undefined && { dimensions: dimensionsOf(dimensions), mayLack: asked === undefined }),
    ...(statusMap !== undefined && { statusWords: await statusWordsOf(statusMap) }),
    times: timesOf({
      date: flags.date ?? profile.date,
      dateFormat: flags.dateFormat ?? profile['date-format'],
      timezone: flags.timezone ?? profile.timezone ?? (env[variable('timezone')] || undefined),
    }),
    skipBadRows: flags.skipBadRows ?? profile['skip-bad-rows'] ?? false,
    cumulative: flags.cumulative ?? profile.cumulative ?? false,
  };
}

async function textOf(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`${flag} ${file}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}

async function readProfile(file: string): Promise<z.output<typeof profileShape>> {
  const text = await textOf('--profile', file);
  try {
    return profileShape.parse(parse(text) ?? {});
  } catch (error) {
    const said = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UsageError(
      `--profile ${file}: ${said}\nexpected YAML with ${Object.keys(profileShape.shape).join(', ')}`,
    );
  }
}

function columnsOf(columns: string | Record<string, string | number>): Record<string, string> {
  if (typeof columns !== 'string')
    return Object.fromEntries(Object.entries(columns).map(([role, column]) => [role, String(column)]));
  const pairs = columns.split(',').map((pair) => pair.split(/[=:](.*)/s).map((part) => part.trim()));
  const wrong = pairs.find(([role, column]) => role === '' || column === undefined);
  if (wrong !== undefined)
    throw new UsageError(`--columns ${columns}: expected pairs such as time=when,status=outcome,count=n`);
  return Object.fromEntries(pairs.map(([role = '', column = '']) => [role, column]));
}

function delimiterOf(text: string): string {
  const delimiter = readDelimiter(text);
  if (delimiter === undefined)
    throw new UsageError(`--delimiter ${text}: expected comma, semicolon, tab, pipe or one character`);
  return delimiter;
}

function decimalOf(text: string): '.' | ',' {
  if (text === '.' || text === ',') return text;
  throw new UsageError(`--decimal ${text}: expected . or ,`);
}

function dimensionsOf(dimensions: string | string[]): string[] | 'all' {
  const asked = (typeof dimensions === 'string' ? dimensions.split(',') : dimensions).map((name) => name.trim());
  return asked.length === 1 && asked[0]?.toLowerCase() === 'all' ? 'all' : asked.filter((name) => name !== '');
}

type TimeFlags = Record<'date' | 'dateFormat' | 'timezone', string | undefined>;

function timesOf({ date, dateFormat, timezone }: TimeFlags): TimeOptions {
  const format = dateFormat === undefined ? {} : readDateFormat(dateFormat);
  if (format === undefined)
    throw new UsageError(
      `--date-format ${dateFormat}: expected such as DD/MM/YYYY, MM/DD/YYYY, YYYY-MM-DD, %d/%m/%Y or ms`,
    );
  const zone = timezone === undefined ? undefined : openZone(timezone);
  if (timezone !== undefined && zone === undefined)
    throw new UsageError(`--timezone ${timezone}: is no time zone; expected such as America/Sao_Paulo, UTC or -03:00`);
  const day = date === undefined ? undefined : readTime(date, format);
  if (day !== undefined && (typeof day !== 'object' || !day.dateOnly))
    throw new UsageError(`--date ${date} is no date; write it as 2025-07-12`);
  return { ...format, ...(zone && { zone }), ...(day !== undefined && { day: day.minute }) };
}

/**
 * Words and what they mean: `{WORD: status}`, `{status: [WORD, ...]}`, or lines `WORD,status` as in
 * a CSV file.
 */
async function statusWordsOf(map: string | z.output<typeof words>): Promise<Map<string, Status | 'ignore'>> {
  const [name, content] =
    typeof map === 'string' ? [map, parseWords(await textOf('--status-map', map))] : ['status-map', map];
  const read = words.safeParse(content);
  const expected = `expected lines such as "AUTHORISED: approved", with one of ${STATUSES.join(', ')} or ignore`;
  if (!read.success) throw new UsageError(`--status-map ${name}: ${expected}`);
  const found = new Map<string, Status | 'ignore'>();
  for (const [word, meant] of Object.entries(read.data)) {
    if (Array.isArray(meant)) {
      for (const one of meant) found.set(wordKey(String(one)), statusFrom(word, name, expected));
    } else found.set(wordKey(word), statusFrom(meant, name, expected));
  }
  return found;
}

function statusFrom(text: string, name: string, expected: string): Status | 'ignore' {
  const status = /^(?:ignore|-|none)?$/i.test(text) ? 'ignore' : statusOf(text);
  if (status === undefined)
    throw new UsageError(`--status-map ${name}: ${JSON.stringify(text)} is no status; ${expected}`);
  return status;
}

function parseWords(text: string): unknown {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const pairs = lines.map((line) => /^\s*"?([^":]+?)"?\s*[,;=\t]\s*"?([\w -]+?)"?\s*$/.exec(line));
  if (lines.length > 0 && pairs.every((pair) => pair !== null)) {
    const rows = pairs.map(([, word = '', status = '']) => [word, status] as const);
    return Object.fromEntries(
      statusOf(rows[0]?.[1] ?? '') === undefined && rows[0]?.[1] !== 'ignore' ? rows.slice(1) : rows,
    );
  }
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
