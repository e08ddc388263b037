import xxhash from 'xxhash-wasm';
import { METRIC } from '../domain/names.ts';
import type { Prometheus, RuleGroup } from './client.ts';

/**
 * The second of the minute at which Prometheus judges, and the one at which it should.
 *
 * Prometheus starts each group at a second of its own: a hash of the file's path and the group's
 * name, modulo the group's interval. Nobody can set it, but a folder of another name has another
 * one.
 */

/** The group that judges. */
const JUDGING = 'transactions.rules';
/** From the counts to the alerts: each group reads what the one before it recorded. */
const WAY = [
  { file: 'transactions.rules.yml', group: JUDGING, interval: 60 },
  { file: 'incidents.rules.yml', group: 'incidents.rules', interval: 5 },
  { file: 'incidents.rules.yml', group: 'shares.rules', interval: 5 },
  { file: 'transactions.alerts.yml', group: 'transactions', interval: 5 },
] as const;
/** Seconds that the groups before the last one may take until their results are there. */
const TAKES = [1, 0.3, 0.3];
/** Seconds from the first group's start to the last one's, at the most. */
const WAY_TAKES = 6;

/** Seconds from the second in which reports come to the end of it and of a scrape of theirs. */
const AFTER_REPORTS = 6;
/** A group may start by so much later. */
const TOLERANCE = 3;
/** Reports that are judged so many seconds after they came are judged in time. */
const IN_TIME = [AFTER_REPORTS - 1, 15] as const;
/**
 * The second that is assumed before any report has come: a minute is reported three seconds after
 * its end.
 */
export const USUAL_SECOND = 3;

/**
 * The folder name that `tillwatch up` gives the rules. It begins with the second of the minute for
 * which it was made.
 */
export const FOLLOWING = /^rules-for-(\d\d)-\d+$/;

/**
 * Minutes that are looked at, and how many of them make a habit. Few, since imported history has
 * every report at second 0.
 */
const MINUTES = 5;
const HABIT = 3;
/** Reports without a pause of so many seconds in a minute come all the time. */
const PAUSE = 15;

const from = (start: number, end: number, modulus: number): number => (((end - start) % modulus) + modulus) % modulus;

/** The labels of a group, as each way to build Prometheus puts them into its hash. */
type Encoding = (labels: readonly string[]) => Uint8Array;
const ENCODINGS: readonly Encoding[] = [
  // stringlabels: each text after its length, which is one byte up to 254 and else 255 and three.
  (labels) => Buffer.concat(labels.map((label) => Buffer.from(label)).flatMap((bytes) => [sizeOf(bytes), bytes])),
  // slicelabels: each text before a byte that no text has.
  (labels) => Buffer.concat(labels.flatMap((label) => [Buffer.from(label), END])),
];
const END = Buffer.from([255]);
const sizeOf = ({ length }: Buffer): Buffer =>
  Buffer.from(length < 255 ? [length] : [255, length & 255, (length >> 8) & 255, length >> 16]);

/**
 * The seconds after each multiple of its interval at which a group starts, one for each way to
 * build Prometheus.
 * @param interval seconds
 */
export async function startsOf(path: string, group: string, interval: number): Promise<number[]> {
  const { h64Raw } = await xxhash();
  return ENCODINGS.map((encode) => startBy(h64Raw, encode, path, group, interval));
}

type Hash = (bytes: Uint8Array) => bigint;

function startBy(hash: Hash, encode: Encoding, path: string, group: string, interval: number): number {
  return Number(hash(encode(['file', path, 'name', group])) % BigInt(interval * 1e9)) / 1e9;
}

/**
 * True for a folder with which reports of this second of the minute are judged once they have been
 * scraped, and alerts follow within six seconds. It is asked for each way to build Prometheus.
 */
function isQuick(hash: Hash, encode: Encoding, folder: string, second: number): boolean {
  const startOf = ({ file, group, interval }: (typeof WAY)[number]) =>
    startBy(hash, encode, `${folder}/${file}`, group, interval);
  const first = startOf(WAY[0]);
  if (from(second + AFTER_REPORTS, first, 60) >= TOLERANCE) return false;
  let [last, passed] = [first, 0];
  for (const [step, group] of WAY.slice(1).entries()) {
    const next = startOf(group);
    const wait = from(last, next, group.interval);
    passed += wait;
    if (wait < (TAKES[step] ?? 0) || passed > WAY_TAKES) return false;
    last = next;
  }
  return true;
}

/** True where the folder is as good as those of `folderFor`. */
export async function isFolderFor(folder: string, second: number): Promise<boolean> {
  const { h64Raw } = await xxhash();
  return ENCODINGS.every((encode) => isQuick(h64Raw, encode, folder, second));
}

/**
 * A name for the folder of the rules with which reports that come in a second of the minute are
 * judged when they have been scraped, and alerts follow within six seconds: the given name with the
 * first number for which that is so in each way to build Prometheus. Takes .1 s of CPU.
 */
export async function folderFor(folder: string, second: number): Promise<string> {
  const { h64Raw } = await xxhash();
  for (let number = 1; ; number++) {
    const candidate = `${folder}-${number}`;
    if (ENCODINGS.every((encode) => isQuick(h64Raw, encode, candidate, second))) return candidate;
  }
}

/**
 * True where reports of one second of the minute are judged soon enough by a group that starts at
 * another.
 */
export const isInTime = (reports: number, judged: number): boolean => {
  const later = from(reports, judged, 60);
  return later >= IN_TIME[0] && later <= IN_TIME[1];
};

/** The second in which a folder that was made for reports of a second judges at the earliest. */
export const earliestFor = (reports: number): number => (reports + AFTER_REPORTS) % 60;

/** The second in which it judges at the latest. */
export const latestFor = (reports: number): number => (earliestFor(reports) + TOLERANCE) % 60;

/**
 * The second of the minute after which all reports of the last minutes are there: the one before
 * the longest pause.
 * @returns undefined where there are too few reports, or they come all the time
 */
export async function secondOfReports(prometheus: Prometheus): Promise<number | undefined> {
  const now = Date.now() / 1000;
  const newest = `max(last_over_time(${METRIC.lastReport}{source=""}[1m]))`;
  const [range] = await prometheus.range(newest, now - 60 * MINUTES, now, 5);
  const minutesOf = Array.from({ length: 60 }, () => new Set<number>());
  for (const [, at] of range?.points ?? []) minutesOf[Math.floor(at % 60)]?.add(Math.floor(at / 60));
  const busy = minutesOf.flatMap((minutes, second) => (minutes.size >= HABIT ? [second] : []));
  const pauses = busy.map((second, i) => from(second, busy[(i + 1) % busy.length] ?? second, 60) || 60);
  const longest = Math.max(...pauses);
  return longest < PAUSE ? undefined : busy[pauses.indexOf(longest)];
}

export interface Judging {
  /** The file of the rules, as Prometheus calls it. */
  file: string;
  /** Seconds since the epoch at which it judged last. */
  at: number;
}

/** The file and the time of the last judgement by loaded rules; undefined before the first. */
export function judgingOf(groups: readonly RuleGroup[]): Judging | undefined {
  const group = groups.find(({ name }) => name === JUDGING);
  const at = Date.parse(group?.lastEvaluation ?? '') / 1000;
  return group !== undefined && at > 0 ? { file: group.file, at } : undefined;
}
