import { closeSync, constants, fdatasync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { HEADER, logPaths, sealRecord } from './log.mjs';

/** Bytes. */
export interface LogLimits {
  /** Where the other file is written instead, from its start, once the ledger has what that one holds. */
  turn: number;
  /** Where the log takes no more before the ledger has taken over what it holds. */
  full: number;
}

const LIMITS: LogLimits = { turn: 16 * 1024 ** 2, full: 64 * 1024 ** 2 };

const writeAt = promisify(write);
/**
 * On Linux a write is on disk when it returns, which takes one turn of a busy loop where a write and a sync take two;
 * elsewhere such a write may stop at the disk's own memory.
 */
const SYNCED = process.platform === 'linux' ? constants.O_DSYNC : 0;
const sync = SYNCED === 0 ? promisify(fdatasync) : undefined;

/**
 * A disk that answers within this many milliseconds is waited for here: to have another thread wait takes as long, and twice
 * the CPU. One that took longer is left to another thread, so that nothing else waits for it, for so many times as long as it
 * took that it holds up a hundredth of what else there is to do.
 */
const QUICK_MS = 0.25;
const ELSEWHERE_TIMES = 100;

/** The log as one process writes it. */
export interface LogFiles {
  /** Brings a commit to disk. @throws the error of the disk; then nothing of it is in the log */
  append(commit: number, text: string): Promise<void>;
  /** The current file has its length: it is time to take over what it holds. */
  long(): boolean;
  /** No more may be appended before `free`. */
  full(): boolean;
  /** What comes next goes to the other file, if that holds nothing which is needed. */
  turn(): void;
  /** The ledger's own file holds everything up to this commit. */
  free(commit: number): void;
  close(): void;
}

interface LogFile {
  fd: number;
  end: number;
  newest: number;
}

async function writeElsewhere(fd: number, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeAt(fd, bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
  await sync?.(fd);
}

function writeHere(fd: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

/** Brings bytes to disk. @throws the error of the disk */
function createWriter(): (fd: number, bytes: Buffer, at: number) => Promise<void> | undefined {
  let elsewhereUntil = 0;
  return (fd, bytes, at) => {
    const start = performance.now();
    if (SYNCED === 0 || start < elsewhereUntil) return writeElsewhere(fd, bytes, at);
    writeHere(fd, bytes, at);
    const end = performance.now();
    const took = end - start;
    if (took > QUICK_MS) elsewhereUntil = end + ELSEWHERE_TIMES * took;
    return undefined;
  };
}

/** Opens both files, whose records the ledger has taken over. */
export function openLogFiles(ledger: string, id: string, limits = LIMITS): LogFiles {
  const files: LogFile[] = logPaths(ledger).map((path) => ({
    fd: openSync(path, constants.O_RDWR | constants.O_CREAT | SYNCED, 0o644),
    end: 0,
    newest: 0,
  }));
  let [current, other] = files as [LogFile, LogFile];
  /** A record that failed and could not be wiped out: it would come back at the next start. */
  let remains: { fd: number; at: number } | undefined;
  let taken = 0;
  const writeTo = createWriter();

  function wipe(): void {
    if (remains === undefined) return;
    writeSync(remains.fd, Buffer.alloc(HEADER), 0, HEADER, remains.at);
    remains = undefined;
  }

  return {
    async append(commit, text) {
      wipe();
      const file = current;
      const record = sealRecord(id, commit, text);
      try {
        await writeTo(file.fd, record, file.end);
      } catch (error) {
        remains = { fd: file.fd, at: file.end };
        try {
          wipe();
        } catch {
          // The next commit tries again, and fails as long as this does.
        }
        throw error;
      }
      file.end += record.length;
      file.newest = commit;
    },
    long: () => current.end >= limits.turn,
    full: () => current.end >= limits.full,
    turn() {
      if (other.newest > taken) return;
      [current, other] = [other, current];
      current.end = 0;
    },
    free(commit) {
      taken = commit;
    },
    close() {
      for (const { fd } of files) closeSync(fd);
    },
  };
}
