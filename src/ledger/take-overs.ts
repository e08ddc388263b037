import type { LogFiles } from './log-files.ts';
import type { Overlay } from './overlay.ts';
import { createWriterProcess } from './writer-process.ts';

/** Records before these keys are removed. */
export interface Prune {
  minutes: string;
  keys: string;
  reports: string;
}

export interface TakeOverOptions {
  log: LogFiles;
  overlay: Overlay;
  /** The number of the newest commit in the log. */
  newest: () => number;
  /** Whether a commit is being written. */
  writing: () => boolean;
  /** What is too old to keep. */
  prune: () => Prune;
  /** The ledger's file has taken over what the log held, or could not for a reason; then the log goes on. */
  takenOver: (error?: string) => void;
}

/** Brings what the log holds into the ledger's own file, now and then, so that the log can be written from its start again. */
export interface TakeOvers {
  /** A commit is in the log. */
  committed(): void;
  /** Returns once the log, which is full, is not. @throws why it cannot be */
  makeRoom(): Promise<void>;
  /** Takes over what there is, and ends. What cannot be taken over is in the log, and is taken over at the next start. */
  close(): Promise<void>;
}

/** How long a commit stays in the log alone, in milliseconds, where no more follow. */
const TAKE_OVER_MS = 5000;
/** After a failure. */
const AGAIN_MS = 1000;

export function createTakeOvers(file: string, options: TakeOverOptions): TakeOvers {
  const { log, overlay, newest, writing, prune, takenOver } = options;
  const writer = createWriterProcess(file);
  let taking: Promise<string | undefined> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let due = false;
  let notBefore = 0;
  let closed = false;

  /** @returns why it failed */
  async function takeOver(state = { closed: false }): Promise<string | undefined> {
    clearTimeout(timer);
    [timer, due] = [undefined, false];
    const to = newest();
    log.turn();
    overlay.begin();
    const error = await writer.order({ to, prune: prune(), state });
    if (error === undefined) log.free(to);
    takenOver(error);
    overlay.end(error === undefined);
    taking = undefined;
    if (error !== undefined) {
      notBefore = performance.now() + AGAIN_MS;
      takeOverIn(AGAIN_MS);
    }
    takeOverWhenDue();
    return error;
  }

  /** Never while a commit is being written: the files change their turns. */
  function takeOverWhenDue(): void {
    if (!due || taking !== undefined || writing() || closed) return;
    taking = takeOver();
  }

  function takeOverIn(milliseconds: number): void {
    timer ??= setTimeout(() => {
      due = true;
      takeOverWhenDue();
    }, milliseconds).unref();
  }

  return {
    committed() {
      if (log.long() && performance.now() >= notBefore) due = true;
      takeOverIn(TAKE_OVER_MS);
      takeOverWhenDue();
    },
    async makeRoom() {
      while (log.full()) {
        taking ??= takeOver();
        const error = await taking;
        if (error !== undefined) throw new Error(error);
      }
    },
    async close() {
      while (taking !== undefined) await taking;
      await takeOver({ closed: true });
      closed = true;
      clearTimeout(timer);
      await writer.stop();
    },
  };
}
