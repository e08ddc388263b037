import { createHash } from 'node:crypto';
import type { Report } from '../intake/report.ts';
import type { Key, RecordOptions } from './ledger.ts';

export interface Limits {
  latenessSeconds: number;
  maxSeries: number;
  maxSources: number;
}

/** A body of reports, with the texts that identify it and each of them. */
export interface Submission {
  reports: readonly Report[];
  key: { hash: string; body: string; answer: Key['answer'] } | undefined;
  /** The text that identifies each report; undefined for one that always adds up. */
  identities: readonly (string | undefined)[];
  now: number;
}

/**
 * 132 bits: that two things have the same hash is not to be expected, nor can it be brought about.
 */
export const hashOf = (...parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

const LONGEST_IDENTITY = 100;
/** A key with another body is a mistake of its sender's: 66 bits tell it. */
const BODY_HASH = 11;

/**
 * Identifies a report. The text begins with the minute, so that reports of one time stand together
 * in the database.
 */
function identityOf(report: Report, token: string): string | undefined {
  if (report.id !== undefined) return hashOf('event', token, report.id);
  if (!report.identified) return undefined;
  const text = JSON.stringify([report.source, report.labels]);
  return `${report.minute} ${text.length <= LONGEST_IDENTITY ? text : hashOf(text)}`;
}

/** Finds out what identifies a body and its reports. A key decides alone. */
export function prepare(reports: readonly Report[], { key, token = '', now }: RecordOptions): Submission {
  if (key === undefined) return { reports, key, identities: reports.map((report) => identityOf(report, token)), now };
  const { token: owner, fingerprint, answer } = key;
  const hashes = { hash: hashOf('key', owner, key.key), body: hashOf(fingerprint).slice(0, BODY_HASH) };
  return { reports, key: { ...hashes, answer }, identities: [], now };
}

/** True for a report that is too old to be current. */
export const isLate = (report: Report, now: number, { latenessSeconds }: Limits): boolean =>
  report.time < now - latenessSeconds * 1000;
