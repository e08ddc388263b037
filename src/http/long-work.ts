import { PassThrough } from 'node:stream';
import type { Context } from 'koa';
import { findBinary } from '../binaries/binaries.ts';
import { leftInWords, timeLeft } from '../domain/time-left.ts';
import { type Log, messageOf } from '../runtime/log.ts';
import { CannotTry } from '../tune/tunable-rules.ts';
import { Problem } from './problem.ts';
import type { UnderWay } from './what-if-answers.ts';

/** Days of a large history may be asked for at once. */
export const PROMETHEUS_MS = 30_000;
/** It is given up after this time. */
const LONGEST_MS = 60 * 60_000;
/** Progress is told so often, which also shows a proxy that the answer goes on. */
const TELL_MS = 500;

export interface Work<Line> {
  tell: (line: Line) => void;
  /** `share` in [0, 1]. */
  onProgress: (share: number, what: string) => void;
  signal: AbortSignal;
}

/** Answers with lines of JSON while it works: progress, and at last a result or an error. */
export type LongWork = <Line>(ctx: Context, name: string, work: (tools: Work<Line>) => Promise<void>) => Promise<void>;

/**
 * Lets one piece of work be done at a time, each of which plays history on a Prometheus of its
 * own. It ends when its reader leaves.
 */
export function createLongWork({ stopping, log }: { stopping: AbortSignal; log: Log }): LongWork {
  let running: { share: number; since: number } | undefined;

  return async (ctx, name, work) => {
    if (running !== undefined) {
      const left = leftInWords(timeLeft(running.share, running.since));
      const percent = `${Math.floor(100 * running.share)} %`;
      throw new Problem(409, `somebody is trying something: ${percent} is done, ${left}. Try again then`);
    }
    const since = Date.now();
    running = { share: 0, since };
    try {
      await findBinary('prometheus', { fetch: false });
    } catch (error) {
      running = undefined;
      throw new Problem(409, `this needs a Prometheus of its own beside the service: ${messageOf(error)}`);
    }
    const left = new AbortController();
    ctx.res.once('close', () => left.abort());
    const late = AbortSignal.timeout(LONGEST_MS);
    const signal = AbortSignal.any([left.signal, stopping, late]);
    const body = new PassThrough();
    const tell = (line: object) => body.write(`${JSON.stringify(line)}\n`);
    let told = 0;
    function onProgress(share: number, what: string): void {
      running = { share, since };
      if (Date.now() - told < TELL_MS) return;
      told = Date.now();
      const left = timeLeft(share, since);
      const secondsLeft = left === undefined ? {} : { secondsLeft: Math.round(left / 1000) };
      tell({ progress: Number(share.toFixed(3)), what, ...secondsLeft } satisfies UnderWay);
    }
    ctx.type = 'application/x-ndjson';
    ctx.set({ 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' });
    ctx.body = body;
    void work({ tell: tell as (line: unknown) => void, onProgress, signal })
      .catch((error: unknown) => {
        if (left.signal.aborted) return;
        if (!(error instanceof CannotTry) && !signal.aborted) log('error', `${name}: ${messageOf(error)}`);
        const late = 'given up after an hour: there are too many counts for this machine';
        const why = stopping.aborted ? 'Tillwatch is stopping' : signal.aborted ? late : messageOf(error);
        tell({ error: why } satisfies UnderWay);
      })
      .finally(() => {
        running = undefined;
        body.end();
      });
  };
}
