import type { Writable } from 'node:stream';
import { duration } from '../domain/clock.ts';

export interface Progress {
  /** Replaces the line that is shown. */
  show: (text: string) => void;
  /** Takes the line away. */
  end: () => void;
}

/** Before this part is done, or so many milliseconds have passed, nobody can tell the rest. */
const TELLING = { share: 0.02, ms: 10_000 };

/**
 * How long work that began at `since` still takes, if it goes on as it did; milliseconds.
 * Undefined while nobody can tell.
 * @param share of it that is done, in [0, 1]
 */
export function timeLeft(share: number, since: number): number | undefined {
  const passed = Date.now() - since;
  return share < TELLING.share || passed < TELLING.ms ? undefined : (passed / share) * (1 - share);
}

/** `about 6 min to go`; what is left is not known where it is undefined. */
export function leftInWords(ms: number | undefined): string {
  if (ms === undefined) return 'time left not known yet';
  return ms < 60_000 ? 'less than a minute to go' : `about ${duration(ms)} to go`;
}

const EVERY_MS = 100;
const EVERY_PIPED_MS = 10_000;

/** A line every ten seconds, so that a log shows that the work goes on. */
function createLines(stream: Writable): Progress {
  let shown: number | undefined;
  return {
    show: (text) => {
      shown ??= Date.now();
      if (Date.now() - shown < EVERY_PIPED_MS) return;
      shown = Date.now();
      stream.write(`${text}\n`);
    },
    end: () => {},
  };
}

/** One line that rewrites itself on a terminal; where the stream is piped, one every ten seconds. */
export function createProgress(stream: Writable & { isTTY?: boolean }): Progress {
  if (stream.isTTY !== true) return createLines(stream);
  let shown = 0;
  return {
    show: (text) => {
      if (Date.now() - shown < EVERY_MS) return;
      shown = Date.now();
      stream.write(`\r\x1b[K${text}`);
    },
    end: () => {
      if (shown > 0) stream.write('\r\x1b[K');
    },
  };
}
