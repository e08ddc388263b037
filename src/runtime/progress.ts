import type { Writable } from 'node:stream';

export interface Progress {
  /** Replaces the line that is shown. */
  show: (text: string) => void;
  /** Takes the line away. */
  end: () => void;
}

const EVERY_MS = 100;

/** One line that rewrites itself on a terminal; nothing at all when the stream is piped. */
export function createProgress(stream: Writable & { isTTY?: boolean }): Progress {
  if (stream.isTTY !== true) return { show: () => {}, end: () => {} };
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
