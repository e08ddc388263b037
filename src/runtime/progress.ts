import type { Writable } from 'node:stream';

export interface Progress {
  /** Replaces the line that is shown. */
  show: (text: string) => void;
  /** Takes the line away. */
  end: () => void;
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
