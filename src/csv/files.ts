import type { Readable, Writable } from 'node:stream';
import { APPROVED_CODES } from '../domain/auth-codes.ts';
import type { MinuteCounts } from '../domain/minutes.ts';
import type { Status } from '../domain/names.ts';
import { plural } from '../domain/plural.ts';
import type { Progress } from '../runtime/progress.ts';
import { type Finding, type FindingKind, findingsOf, repeatedWords } from './findings.ts';
import { describeProblems } from './problems.ts';
import { type ReadFile, readCounts } from './read.ts';
import type { ReadOptions } from './read-options.ts';
import { openSource, type Source } from './source.ts';
import {
  ABSENT,
  addTally,
  createTally,
  DAY,
  daysOf,
  type Labels,
  minutesOf,
  type Tally,
  type TallySeries,
} from './tally.ts';

/** The counts of all files of a command together. */
export interface History {
  name: string;
  rows: number;
  skipped: number;
  statuses?: Tally;
  codes?: Tally;
  /** Minutes since the epoch: the first, and the one after the last. */
  from: number;
  to: number;
  findings: (Finding & { file: string })[];
}

interface FileIo {
  stdin: Readable;
  stderr: Writable;
  signal: AbortSignal;
}

/** Opens a command's files, `-` for stdin, for as long as they are used. */
export async function withSources<T>(
  names: readonly string[],
  io: FileIo,
  progress: Progress,
  use: (sources: Source[]) => Promise<T>,
): Promise<T> {
  const sources: Source[] = [];
  try {
    for (const name of names)
      sources.push(
        await openSource(name, {
          stdin: io.stdin,
          signal: io.signal,
          onBytes: (bytes) => progress.show(`reading ${name}: ${(bytes / 1e6).toFixed(1)} MB`),
        }),
      );
    return await use(sources);
  } finally {
    for (const source of sources) await source.close();
  }
}

/**
 * Reads a command's files as one history, and says on stderr what was recognised in each and which
 * bad rows were left out.
 * @throws as `readCounts`
 */
export async function readFiles(
  sources: readonly Source[],
  options: ReadOptions,
  io: FileIo,
  progress: Progress,
): Promise<History> {
  const files: ReadFile[] = [];
  for (const source of sources) {
    const file = await readCounts(source, options);
    progress.end();
    io.stderr.write(`${file.recognised}\n`);
    if (file.skipped > 0)
      io.stderr.write(
        `${file.name}: left out ${plural(file.skipped, 'bad row')}:\n${describeProblems(file.problems).join('\n')}\n`,
      );
    files.push(file);
  }
  const history = together(files);
  const isApproved = codesOf(history).some((code) => APPROVED_CODES.includes(code));
  if (history.statuses === undefined && !isApproved) io.stderr.write(`warning: ${history.name}: ${NO_APPROVAL}\n`);
  if (!isApproved && history.statuses?.all().every(({ key }) => key !== 'approved'))
    io.stderr.write(
      `warning: ${history.name}: No count is of approved, so each share is one of the other statuses alone. Export approvals too.\n`,
    );
  return history;
}

/** Said instead of taking everything for declined. */
export const NO_APPROVAL = `No auth code is an approval (${APPROVED_CODES.join(', ')}), so the codes do not tell what was declined.`;

function together(files: readonly ReadFile[]): History {
  const now = Date.now() / 60_000;
  const findings = files.flatMap((file) => findingsOf(file, now).map((finding) => ({ ...finding, file: file.name })));
  const merged = (pick: (file: ReadFile) => Tally | undefined): Tally | undefined => {
    const [first, ...others] = files.flatMap((file) => pick(file) ?? []);
    if (first === undefined || others.length === 0) return first;
    const all = createTally();
    for (const tally of [first, ...others]) {
      const shared = addTally(all, tally);
      // One file may end and another begin within a minute.
      const isSeam = shared.minutes.length === 1 && files.some(({ seen }) => seen.seconds || seen.events);
      if (shared.rows > 0 && !isSeam)
        findings.push({ kind: 'repeated', file: nameOf(files), ...repeatedWords(shared.rows, shared.minutes) });
    }
    return all;
  };
  const [statuses, codes] = [merged((file) => file.statuses), merged((file) => file.codes)];
  const sum = (pick: (file: ReadFile) => number) => files.reduce((total, file) => total + pick(file), 0);
  return {
    name: nameOf(files),
    rows: sum((file) => file.rows),
    skipped: sum((file) => file.skipped),
    ...(statuses && { statuses }),
    ...(codes && { codes }),
    ...rangeOf(seriesOf({ statuses, codes })),
    findings,
  };
}

const nameOf = (files: readonly ReadFile[]): string => files.map(({ name }) => name).join(' and ');

const seriesOf = ({ statuses, codes }: { statuses?: Tally | undefined; codes?: Tally | undefined }): TallySeries[] =>
  [statuses, codes].flatMap((tally) => tally?.all() ?? []);

function rangeOf(series: readonly TallySeries[]): { from: number; to: number } {
  const [days, at] = [
    daysOf(series),
    (day: number | undefined) => series.flatMap(({ pages }) => pages.get(day ?? 0) ?? []),
  ];
  const [first = 0, last = 0] = [days[0], days.at(-1)];
  const present = (day: number) =>
    at(day)
      .map((page) => [page.findIndex(isThere), page.findLastIndex(isThere)] as const)
      .filter(([from]) => from >= 0);
  return {
    from: first * DAY + Math.min(...present(first).map(([from]) => from)),
    to: last * DAY + Math.max(...present(last).map(([, to]) => to)) + 1,
  };
}

const isThere = (count: number): boolean => count !== ABSENT;

/** The auth codes of a history, sorted. */
export const codesOf = ({ codes }: History): string[] => [...new Set(codes?.all().map(({ key }) => key))].sort();

/** Sets of labels that the counts carry, the empty one for those without. */
export function slicesOf({ statuses, codes }: History): Labels[] {
  return [...new Map(seriesOf({ statuses, codes }).map(({ labels }) => [JSON.stringify(labels), labels])).values()];
}

/**
 * The minutes that have a row, in order of time. @param until minutes since the epoch; what is
 * later is left out
 */
export function* historyMinutes(
  { statuses, codes }: History,
  { from = 0, until = Number.POSITIVE_INFINITY } = {},
): Generator<MinuteCounts> {
  const series = seriesOf({ statuses, codes });
  const kinds = new Map(statuses?.all().map((one) => [one, 'counts' as const]));
  const slices = new Map<string, { labels: Labels; series: TallySeries[] }>();
  for (const one of series) {
    const key = JSON.stringify(one.labels);
    const slice = slices.get(key) ?? { labels: one.labels, series: [] };
    slices.set(key, slice);
    slice.series.push(one);
  }
  const own = slices.get('{}');
  const labelled = [...slices.values()].filter((slice) => slice !== own);
  for (const minute of minutesOf(series)) {
    if (minute < from) continue;
    if (minute > until) return;
    const parts = labelled.flatMap((slice) => {
      const part = countsAt(slice.series, kinds, minute);
      return part === undefined ? [] : [{ labels: slice.labels, counts: {}, ...part }];
    });
    yield { minute, ...(own && countsAt(own.series, kinds, minute)), ...(parts.length > 0 && { labelled: parts }) };
  }
}

type Counts = { counts?: Partial<Record<Status, number>>; authCodes?: Record<string, number> };

function countsAt(
  series: readonly TallySeries[],
  kinds: ReadonlyMap<TallySeries, 'counts'>,
  minute: number,
): Counts | undefined {
  let found: Counts | undefined;
  const day = Math.floor(minute / DAY);
  for (const one of series) {
    const count = one.pages.get(day)?.[minute - day * DAY] ?? ABSENT;
    if (count === ABSENT) continue;
    found ??= {};
    if (kinds.has(one)) {
      found.counts ??= {};
      found.counts[one.key as Status] = count;
    } else {
      found.authCodes ??= {};
      found.authCodes[one.key] = count;
    }
  }
  return found;
}

/**
 * The findings that nobody accepted, as `import` refuses a history for them; undefined when there
 * are none.
 */
export function refusalOf({ findings }: History, accepted: ReadonlySet<FindingKind>): string | undefined {
  const left = findings.filter(({ kind }) => !accepted.has(kind));
  if (left.length === 0) return undefined;
  const lines = left.map(
    ({ file, kind, what, accepted: meaning }) => `${file}: ${what}.\n  With --accept-${kind}, ${meaning}.`,
  );
  return `${lines.join('\n')}\nNothing was written.`;
}

/** The findings as warnings, a line each. */
export const warningsOf = ({ findings }: History): string =>
  findings.map(({ file, what }) => `warning: ${file}: ${what}.\n`).join('');
