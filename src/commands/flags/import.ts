import { type Flags, readCalendarSettings, readDataDir, readLedgerPlace } from '../../config/config.ts';
import { UsageError } from '../../config/usage-error.ts';
import type { FileFlags } from '../../csv/options.ts';
import type { Accepted } from '../import.ts';
import type { Define } from '../io.ts';
import { timeOf } from '../time-flag.ts';
import { addFileFlags, FILES } from './files.ts';
import { addSettings } from './settings.ts';

/** Things that `import` refuses unless told otherwise, as `--help` names them. */
const ACCEPTABLE: Record<Accepted, string> = {
  coarse: 'rows are by the hour or the day',
  repeated: 'minutes are given twice',
  growing: 'numbers only grow, as totals do',
  'totals-row': 'a row of totals is in the file',
  'local-hour': 'times are in an hour that the time zone has twice or never',
  future: 'minutes lie in the future',
  gaps: 'an hour or more is missing',
  retention: 'a part is older than Prometheus keeps',
};
const acceptOption = (kind: string): string =>
  `accept-${kind}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

type ImportFlags = Flags & FileFlags & { rules?: string; fromLedger?: boolean; until?: string };

export const define: Define = (command, io, settle) => {
  command
    .argument('[file...]', FILES)
    .option('--from-ledger', 'what the ledger has counted by minute, instead of files')
    .option('--until <TIME>', 'with --from-ledger: only minutes that ended by then, default now')
    .option('--rules <DIR>', 'recording rules, default the own ones');
  addFileFlags(addSettings(command, ['data', 'ledger', 'calendar']));
  for (const [kind, what] of Object.entries(ACCEPTABLE)) command.option(`--accept-${kind}`, `import although ${what}`);
  command.action(async (files: string[], { rules, fromLedger, until, ...flags }: ImportFlags) => {
    if (fromLedger === true && files.length > 0) throw new UsageError('give files or --from-ledger, not both');
    if (fromLedger !== true && files.length === 0) throw new UsageError('give a file, or --from-ledger');
    const dataDir = readDataDir(flags, io.env);
    if (fromLedger === true) {
      const { importLedger } = await import('../import-ledger.ts');
      const options = {
        ...{ dataDir, rulesDir: rules, ledger: readLedgerPlace(flags, io.env) },
        ...(until !== undefined && { until: timeOf('--until', until) }),
        ...readCalendarSettings(flags, io.env),
      };
      return settle(await importLedger(options, io));
    }
    const { importCommand } = await import('../import.ts');
    const kinds = Object.keys(ACCEPTABLE) as Accepted[];
    const accept = kinds.filter((kind) => command.getOptionValue(acceptOption(kind)) === true);
    const rulesDir = rules === undefined ? {} : { rulesDir: rules };
    settle(await importCommand({ ...(flags as FileFlags), files, dataDir, ...rulesDir, accept }, io));
  });
};
