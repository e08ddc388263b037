import { chmodSync, closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { makeFolder } from '../../runtime/folder.ts';
import { type Dialect, type Engine, Overtaken, type Row, type Statement } from '../engine.ts';

export const FILE = 'ledger.sqlite';

export const dialect: Dialect = {
  words: {
    id: 'INTEGER NOT NULL',
    clustered: 'WITHOUT ROWID',
    json: '',
    view: 'CREATE VIEW IF NOT EXISTS',
    iso: "strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch')",
    rows: 'json_each($1) AS r',
    texts: 'json_each($1) AS r',
  },
  tables: "SELECT name FROM sqlite_master WHERE type = 'table'",
  renumber: () => [],
  hasIntegrityCheck: true,
};

type Answer = { rows: Row[][] } | { error: string };

/** SQLite's message where a row would break a constraint. */
const BROKEN = 'constraint failed';

/** Starts a thread that has the file open; a failure to open it is that of the first question. */
function startThread(file: string) {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: { file, words: dialect.words },
    execArgv: [],
  });
  /** Callers that wait, in the order in which they are answered. */
  const waiting: { resolve: (rows: Row[][]) => void; reject: (error: Error) => void }[] = [];
  let over: Error | undefined;
  function fail(error: Error): void {
    over ??= error;
    for (const { reject } of waiting.splice(0)) reject(over);
  }
  worker.on('message', (answer: Answer) => {
    const asker = waiting.shift();
    if ('rows' in answer) asker?.resolve(answer.rows);
    else asker?.reject(new (answer.error.includes(BROKEN) ? Overtaken : Error)(answer.error));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that writes it has ended')));
  const post = (kind: string, statements: readonly Statement[]) => worker.postMessage({ kind, statements });
  return {
    ask: (kind: string, statements: readonly Statement[]): Promise<Row[][]> =>
      new Promise((resolve, reject) => {
        if (over !== undefined) return reject(over);
        waiting.push({ resolve, reject });
        post(kind, statements);
      }),
    /** Has the thread end when it can: terminate() would end the process on Node 20. */
    giveUp(): void {
      fail(new Error('it did not answer in time'));
      post('close', []);
    },
    /** Whether it can answer no more: it could not open the file, or has ended. */
    isOver: () => over !== undefined,
    ended: new Promise<void>((resolve) => worker.once('exit', () => resolve())),
  };
}

/** The thread's message about files that it does not find as it left them. */
const GONE = 'was removed or replaced';
/** Files of the ledger that Tillwatch kept before it kept SQL. */
const OLD_FORM = /^ledger\.mdb/;

/** Makes the folder and the file, readable by nobody else. @throws Error that says what to do */
function makeFile(file: string): void {
  const folder = dirname(file);
  try {
    makeFolder(folder);
    const old = readdirSync(folder).find((name) => OLD_FORM.test(name));
    if (old !== undefined && !existsSync(file))
      throw new Error(
        `${folder} holds a ledger of an old form (${old}), which this version does not read. Move its ledger.* files away, or give another folder by --data DIR`,
      );
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`cannot keep data in ${folder} (${message}). Make room, or give another folder by --data DIR`);
  }
}

/** The ledger in a file of SQLite. Several processes may have it open. */
export function openSqlite(file: string): Engine {
  makeFile(file);
  let thread: ReturnType<typeof startThread> | undefined;
  let gone: Error | undefined;
  const ask = (kind: string, statements: readonly Statement[] = []) => {
    if (gone !== undefined) return Promise.reject(gone);
    if (thread === undefined || thread.isOver()) thread = startThread(file);
    return thread.ask(kind, statements);
  };
  return {
    dialect,
    name: file,
    read: (statements) => ask('read', statements),
    write: (statements) =>
      ask('write', statements).catch((error: Error) => {
        // Its ending thread still has the files open: opening others beside it would do harm.
        if (error.message.includes(GONE)) gone = new Error(`${error.message}. Start tillwatch again`);
        throw gone ?? error;
      }),
    abandon() {
      // A new thread opens the file anew, whatever has become of the old one.
      thread?.giveUp();
      thread = undefined;
    },
    async close() {
      if (thread === undefined) return;
      await ask('close');
      // Prepared statements hold the file until the thread has ended.
      await thread.ended;
      thread = undefined;
    },
  };
}
