import { type Command, InvalidArgumentError } from 'commander';
import { type Flags, readLedgerPlace, UsageError } from '../config/config.ts';
import { parseTime } from '../domain/times.ts';
import type { CommandIo } from './io.ts';
import type { SqlFormat } from './ledger.ts';

type Settle = (code: number) => void;

const commands = () => import('./ledger.ts');

/** The commands that look after the ledger. `addPlace` adds the flags that say where it is. */
export function addLedger(
  program: Command,
  io: CommandIo,
  settle: Settle,
  addPlace: (command: Command) => Command,
): void {
  const ledger = program.command('ledger').description('back up, check, export, copy and ask the ledger');
  const place = (flags: Flags) => readLedgerPlace(flags, io.env);

  addPlace(ledger.command('backup').description('copy the ledger, also while it is in use, into a file of SQLite'))
    .argument('<file>', 'must not exist')
    .action(async (file: string, flags: Flags) =>
      settle(await (await commands()).ledgerBackup(place(flags), file, io)),
    );

  addPlace(ledger.command('verify').description('check that the ledger is whole and its numbers agree'))
    .argument('[place]', 'a backup, a folder or a URL instead of --data and --ledger')
    .action(async (other: string | undefined, flags: Flags) =>
      settle(await (await commands()).ledgerVerify(other ?? place(flags), io)),
    );

  addPlace(
    ledger.command('export').description('counts by minute as CSV, as import reads them: timestamp,status,count'),
  )
    .option('--csv', 'as CSV, the only format')
    .option('--auth-codes', 'counts by auth code: timestamp,auth_code,count')
    .action(async ({ authCodes, ...flags }: Flags & { authCodes?: boolean }) =>
      settle(await (await commands()).ledgerExport(place(flags), authCodes === true, io)),
    );

  ledger
    .command('copy')
    .description('copy a ledger to where none is, from SQLite to PostgreSQL or back')
    .argument('<from>', 'a folder, a file or a URL')
    .argument('<to>', 'likewise; what is there is never replaced')
    .action(async (from: string, to: string) => settle(await (await commands()).ledgerCopy(from, to, io)));

  addPlace(ledger.command('sql').description('ask the ledger in SQL, read only; docs/sql.md has views and queries'))
    .argument('<statement>', 'SELECT ...')
    .option('--csv', 'CSV instead of a table')
    .option('--json', 'JSON instead of a table')
    .action(async (sql: string, { csv, json, ...flags }: Flags & { csv?: boolean; json?: boolean }) => {
      if (csv && json) throw new UsageError('give one of --csv and --json');
      const format: SqlFormat = csv ? 'csv' : json ? 'json' : 'table';
      settle(await (await commands()).ledgerSql(place(flags), sql, format, io));
    });
}

/** The time of a flag, in seconds since the epoch. */
export function timeFlag(text: string): number {
  const time = parseTime(text) / 1000;
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write it as 2026-01-05T00:00:00Z.');
  return time;
}
