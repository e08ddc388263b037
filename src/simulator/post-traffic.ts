import { setTimeout as sleep } from 'node:timers/promises';
import type { MinuteCounts } from '../domain/minutes.ts';
import { isoTime } from '../domain/times.ts';
import { abortable } from '../runtime/abortable.ts';
import { messageOf } from '../runtime/log.ts';

/** Time, so that a test need not wait for real minutes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Rejects when the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const REAL_CLOCK: Clock = { now: () => Date.now(), sleep: (ms, signal) => sleep(ms, undefined, { signal }) };

export interface PostOptions {
  /** The source of the report of each minute; a minute may have none. */
  traffic: { at: (minute: number) => MinuteCounts | undefined };
  /** The service's base URL, or the whole URL to post to. */
  url: string;
  /** Minutes since the epoch; without `to` it goes on until the signal. */
  from: number;
  to?: number;
  /** Makes the keys of this run its own. */
  seed: number;
  token?: string;
  signal: AbortSignal;
  /** Receives the service's answer for each minute. */
  onAnswer?: (minute: MinuteCounts, recommendation: string) => void;
  /** Receives the reason why a report is tried again. */
  onRetry?: (reason: string) => void;
  clock?: Clock;
}

const ROUTE = '/api/v1/transactions';
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Posts each minute of traffic as soon as it has ended, until `to` or the signal. A report that
 * meets a 5xx, a 429 or no answer is sent again, under the same key, for as long as it takes: none
 * is lost, none counted twice.
 * @throws Refused when the service refuses a report (4xx)
 */
export async function postTraffic(options: PostOptions): Promise<void> {
  const { traffic, signal, clock = REAL_CLOCK } = options;
  const end = options.to ?? Number.POSITIVE_INFINITY;
  try {
    for (let minute = options.from; minute < end; minute++) {
      const left = (minute + 1) * 60_000 - clock.now();
      if (left > 0) await clock.sleep(left, signal);
      const counted = traffic.at(minute);
      if (counted === undefined) continue;
      const key = `simulate-${options.seed}-${timestampOf(counted)}`;
      options.onAnswer?.(counted, await postUntilTaken(counted, options, clock, key));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The service does not want a report, now or later. */
export class Refused extends Error {
  override name = 'Refused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const timestampOf = ({ minute }: MinuteCounts): string => isoTime(minute * 60);

/**
 * Sends a report until it is taken.
 * @param key the idempotency key, where there is one
 * @returns the recommendation
 * @throws Refused, or the signal's reason
 */
export async function postUntilTaken(
  counted: MinuteCounts,
  options: PostOptions,
  clock: Clock,
  key: string | undefined,
): Promise<string> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    const outcome = await post(counted, options, key);
    if ('recommendation' in outcome) return outcome.recommendation;
    options.onRetry?.(`${options.url}: ${outcome.retry}; trying again in ${wait / 1000} s`);
    await clock.sleep(wait, options.signal);
  }
}

/** One report, or one for each set of labels. */
function bodyOf({ counts, authCodes, labelled }: MinuteCounts, timestamp: string) {
  const report = { timestamp, source: 'simulate' };
  if (labelled === undefined) return { ...report, counts, authCodes };
  return labelled.map((slice) => ({ ...report, ...slice }));
}

async function post(
  counted: MinuteCounts,
  options: PostOptions,
  key: string | undefined,
): Promise<{ recommendation: string } | { retry: string }> {
  const url = new URL(options.url);
  if (url.pathname === '/') url.pathname = ROUTE;
  const timestamp = timestampOf(counted);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      },
      body: JSON.stringify(bodyOf(counted, timestamp)),
      signal: options.signal,
    });
    text = await abortable(response.text(), options.signal);
  } catch (error) {
    options.signal.throwIfAborted();
    return { retry: messageOf(error) };
  }
  if (response.status >= 500 || response.status === 429) return { retry: `answered ${response.status}` };
  if (!response.ok)
    throw new Refused(response.status, `${url} refused the report of ${timestamp} with ${response.status}: ${text}`);
  return { recommendation: String((JSON.parse(text) as { recommendation?: unknown }).recommendation) };
}
