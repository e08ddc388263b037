import type { Command } from 'commander';
import { type Flags, readLedgerPlace } from '../../config/config.ts';
import { UsageError } from '../../config/usage-error.ts';
import type { Define } from '../io.ts';
import type { SqlFormat } from '../ledger.ts';
import { addSettings } from './settings.ts';

const work = () => import('../ledger.ts');

/** Adds the flags that say where the ledger is. */
const addPlace = (command: Command): Command => addSettings(command, ['data', 'ledger']);

export const define: Define = (ledger, io, settle) => {
  const place = (flags: Flags) => readLedgerPlace(flags, io.env);

  addPlace(ledger.command('backup').description('copy the ledger, also while it is in use, into a file of SQLite'))
    .argument('<file>', 'must not exist')
    .action(async (file: string, flags: Flags) => settle(await (await work()).ledgerBackup(place(flags), file, io)));

  addPlace(ledger.command('verify').description('check that the ledger is whole and its numbers agree'))
    .argument('[place]', 'a backup, a folder or a URL instead of --data and --ledger')
    .action(async (other: string | undefined, flags: Flags) =>
      settle(await (await work()).ledgerVerify(other ?? place(flags), io)),
    );

  addPlace(
    ledger.command('export').description('counts by minute as CSV, as import reads them: timestamp,status,count'),
  )
    .option('--csv', 'as CSV, the only format')
    .option('--auth-codes', 'counts by auth code: timestamp,auth_code,count')
    .action(async ({ authCodes, ...flags }: Flags & { authCodes?: boolean }) =>
      settle(await (await work()).ledgerExport(place(flags), authCodes === true, io)),
    );

  ledger
    .command('copy')
    .description('copy a ledger to where none is, from SQLite to PostgreSQL or back')
    .argument('<from>', 'a folder, a file or a URL')
    .argument('<to>', 'likewise; what is there is never replaced')
    .action(async (from: string, to: string) => settle(await (await work()).ledgerCopy(from, to, io)));

  addPlace(ledger.command('sql').description('ask the ledger in SQL, read only; docs/sql.md has views and queries'))
    .argument('<statement>', 'SELECT ...')
    .option('--csv', 'CSV instead of a table')
    .option('--json', 'JSON instead of a table')
    .action(async (sql: string, { csv, json, ...flags }: Flags & { csv?: boolean; json?: boolean }) => {
      if (csv && json) throw new UsageError('give one of --csv and --json');
      const format: SqlFormat = csv ? 'csv' : json ? 'json' : 'table';
      settle(await (await work()).ledgerSql(place(flags), sql, format, io));
    });
};
