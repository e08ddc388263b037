import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Dialect, Engine, Row, Statement } from '../engine.ts';

export const FILE = 'ledger.sqlite';

export const dialect: Dialect = {
  words: {
    id: 'INTEGER PRIMARY KEY',
    clustered: 'WITHOUT ROWID',
    json: '',
    iso: "strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch')",
  },
  tables: "SELECT name FROM sqlite_master WHERE type = 'table'",
  exclusive: [],
  hasIntegrityCheck: true,
};

interface Answer {
  id: number;
  rows?: Row[][];
  error?: string;
}

/** A thread that has the file open. */
interface Thread {
  ask(kind: string, statements: readonly Statement[]): Promise<Row[][]>;
  end(): void;
}

/** Starts the thread; a failure to open the file is that of the first question. */
function startThread(file: string, isNew: boolean): Thread {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { file, isNew }, execArgv: [] });
  const waiting = new Map<number, { resolve: (rows: Row[][]) => void; reject: (error: Error) => void }>();
  let [asked, over] = [0, undefined as Error | undefined];
  function fail(error: Error): void {
    over ??= error;
    for (const { reject } of waiting.values()) reject(over);
    waiting.clear();
  }
  worker.on('message', ({ id, rows, error }: Answer) => {
    const asker = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asker?.resolve(rows ?? []);
    else asker?.reject(new Error(error));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that writes it has ended')));
  return {
    ask: (kind, statements) =>
      new Promise((resolve, reject) => {
        if (over !== undefined) return reject(over);
        const id = ++asked;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, kind, statements });
      }),
    end() {
      fail(new Error('it did not answer in time'));
      void worker.terminate();
    },
  };
}

/** What the thread says of files that it does not find as it left them. */
const GONE = 'was removed or replaced';
/** Files of the ledger that Tillwatch kept before it kept SQL. */
const OLD_FORM = /^ledger\.mdb/;

/**
 * Makes the folder and the file, readable by nobody else. @returns whether the file is new @throws
 * Error that says what to do
 */
function prepareFile(file: string): boolean {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true });
    const isNew = !existsSync(file);
    const old = readdirSync(folder).find((name) => OLD_FORM.test(name));
    if (isNew && old !== undefined)
      throw new Error(
        `${folder} holds a ledger of an old form (${old}), which this version does not read. Move its ledger.* files away, or give another folder by --data DIR`,
      );
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    return isNew;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`cannot keep data in ${folder} (${message}). Make room, or give another folder by --data DIR`);
  }
}

/** The ledger in a file of SQLite. Several processes may have it open. */
export function openSqlite(folder: string): Engine {
  const file = join(folder, FILE);
  let isNew = prepareFile(file);
  let thread: Thread | undefined;
  let gone: Error | undefined;
  const ask = (kind: string, statements: readonly Statement[] = []) => {
    if (gone !== undefined) return Promise.reject(gone);
    if (thread === undefined) {
      thread = startThread(file, isNew);
      isNew = false;
    }
    return thread.ask(kind, statements);
  };
  return {
    dialect,
    name: file,
    read: (statements) => ask('read', statements),
    begin: (statements) => ask('begin', statements),
    run: (statements) => ask('run', statements),
    async commit(statements) {
      await ask('commit', statements).catch((error: Error) => {
        // Its ending thread still has the files open: opening others beside it would do harm.
        if (error.message.includes(GONE)) gone = new Error(`${error.message}. Start tillwatch again`);
        throw gone ?? error;
      });
    },
    abandon() {
      // A new thread opens the file anew, whatever has become of the old one.
      thread?.end();
      thread = undefined;
    },
    async close() {
      if (thread !== undefined) await ask('close');
      thread = undefined;
    },
  };
}
