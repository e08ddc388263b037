import { UsageError } from '../config/usage-error.ts';
import { parseTime } from '../domain/times.ts';

/** The time that a flag gives, in seconds since the epoch. @throws UsageError where it is none */
export function timeOf(flag: string, text: string): number {
  const time = parseTime(text) / 1000;
  if (!(time >= 0)) throw new UsageError(`${flag} ${text}: is no time; write it as 2026-01-05T00:00:00Z`);
  return time;
}
