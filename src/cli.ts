import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import type { AnalyzeCommandOptions } from './commands/analyze.ts';
import { addServiceFlags } from './commands/ask-service.ts';
import type { BacktestCommandOptions } from './commands/backtest.ts';
import type { ChangeOptions } from './commands/change.ts';
import type { CheckOptions } from './commands/check.ts';
import { addExamples } from './commands/examples.ts';
import type { Accepted } from './commands/import.ts';
import type { CommandIo } from './commands/io.ts';
import { addLedger, timeFlag } from './commands/ledger-flags.ts';
import type { RulesOptions } from './commands/rules.ts';
import type { SimulateCommandOptions } from './commands/simulate.ts';
import type { TestAlertOptions } from './commands/test-alert.ts';
import type { TuneCommandOptions } from './commands/tune.ts';
import {
  type Flags,
  readCalendarFile,
  readCalendarSettings,
  readConfig,
  readDataDir,
  readLedgerPlace,
  SETTINGS,
  type SettingName,
  UsageError,
  variable,
} from './config/config.ts';
import type { FileFlags } from './csv/options.ts';
import { ENGINES } from './engines/engine-names.ts';
import { messageOf } from './runtime/log.ts';
import { PROJECT, VERSION } from './runtime/project.ts';
import { DEFAULT_VOLUME } from './simulator/feed.ts';
import { INCIDENT_KINDS } from './simulator/incidents.ts';
import { SCENARIO_NAMES } from './simulator/scenarios.ts';

const NAMES = Object.keys(SETTINGS) as SettingName[];
const SERVE = NAMES.filter((name) => !['prometheusPort', 'alertmanagerPort'].includes(name));
const UP = NAMES.filter((name) => !['prometheusUrl', 'alertmanagerUrl'].includes(name));

function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, help, default: fallback, ...rest } = SETTINGS[name];
    const value = 'value' in rest ? rest.value : undefined;
    const shown = fallback === '' || value === undefined ? '' : `, default ${fallback}`;
    command.option(`--${flag}${value === undefined ? '' : ` <${value}>`}`, `${help} (${variable(flag)}${shown})`);
  }
  return command;
}

type Settle = (code: number) => void;

const collect = (value: string, before: string[] = []): string[] => [...before, value];

function addServing(program: Command, io: CommandIo, settle: Settle): void {
  program
    .command('init')
    .description('write a folder to start from: settings, rules, Alertmanager configuration, compose file')
    .argument('[dir]', 'where; what exists there is kept', '.')
    .action(async (dir: string) => {
      const { init } = await import('./commands/init.ts');
      settle(await init(dir, io));
    });
  addSettings(program.command('serve').description('the HTTP service alone'), SERVE).action(async (flags: Flags) => {
    const { serve } = await import('./commands/serve.ts');
    settle(await serve(readConfig(flags, io.env), io));
  });
  addSettings(
    program
      .command('up')
      .description('the service with a local Prometheus and Alertmanager')
      .option('--demo', 'with 14 days of generated history, and generated traffic from now on')
      .option('--config <DIR>', 'a folder made by init: settings, rules, Alertmanager configuration'),
    UP,
  ).action(async ({ demo, config, ...flags }: Flags & { demo?: boolean; config?: string }) => {
    const { up } = await import('./commands/up.ts');
    settle(await up(flags, { demo: demo === true, folder: config && resolve(config) }, io));
  });
}

const FILES = 'tables of counts by minute and status or auth code, in CSV of any kind; - for stdin';

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

/** Adds the flags that overrule what is recognised in a file. */
const addFileFlags = (command: Command): Command =>
  command
    .option(
      '--columns <PAIRS>',
      'which column is which: time=when,status=outcome,count=n (names, or numbers from 1 on)',
    )
    .option('--delimiter <SIGN>', 'comma, semicolon, tab, pipe or one character')
    .option('--decimal <SIGN>', '. or , : the sign that begins decimals')
    .option('--date <DATE>', 'the day of times such as "13h 05"')
    .option('--date-format <FORMAT>', 'DD/MM/YYYY, MM/DD/YYYY, ...; or s, ms, us, ns of epoch numbers')
    .option(
      '--timezone <ZONE>',
      'of times without offset, and of --calendar: America/Sao_Paulo, -03:00 (TILLWATCH_TIMEZONE, default UTC)',
    )
    .option('--status-map <FILE>', 'what further status words mean: lines such as "PAID: approved"')
    .option('--dimensions <NAMES>', 'columns that become labels, such as acquirer,merchant; or all')
    .option('--profile <FILE>', 'YAML that holds these flags')
    .option('--cumulative', 'numbers are totals that only grow: take what each minute added')
    .option('--skip-bad-rows', 'leave out and count bad rows, instead of refusing the file');

function addHistory(program: Command, io: CommandIo, settle: Settle): void {
  const importing = addSettings(
    program
      .command('import')
      .description('history into Prometheus, recorded series included')
      .argument('[file...]', FILES)
      .option('--from-ledger', 'what the ledger has counted by minute, instead of files')
      .option('--until <TIME>', 'with --from-ledger: only minutes that ended by then, default now', timeFlag)
      .option('--rules <DIR>', 'recording rules, default the own ones'),
    ['data', 'ledger', 'calendar'],
  );
  addFileFlags(importing);
  for (const [kind, what] of Object.entries(ACCEPTABLE))
    importing.option(`--accept-${kind}`, `import although ${what}`);
  importing.action(async (files: string[], { rules, fromLedger, until, ...flags }: Flags & FileFlags & ImportFlags) => {
    if (fromLedger === true && files.length > 0) throw new UsageError('give files or --from-ledger, not both');
    if (fromLedger !== true && files.length === 0) throw new UsageError('give a file, or --from-ledger');
    const dataDir = readDataDir(flags, io.env);
    if (fromLedger === true) {
      const { importLedger } = await import('./commands/import-ledger.ts');
      return settle(
        await importLedger(
          {
            ledger: readLedgerPlace(flags, io.env),
            dataDir,
            rulesDir: rules,
            until,
            ...readCalendarSettings(flags, io.env),
          },
          io,
        ),
      );
    }
    const { importCommand } = await import('./commands/import.ts');
    settle(
      await importCommand(
        {
          ...(flags as FileFlags),
          files,
          dataDir,
          ...(rules !== undefined && { rulesDir: rules }),
          accept: (Object.keys(ACCEPTABLE) as Accepted[]).filter(
            (kind) => importing.getOptionValue(acceptOption(kind)) === true,
          ),
        },
        io,
      ),
    );
  });
  const backtesting = program
    .command('backtest')
    .description('what the rules would have fired on a history')
    .argument('<file...>', FILES)
    .option('--rules <DIR>', 'rules, default the own ones')
    .option('--labels <FILE>', 'incidents to score against: start,end,signal')
    .option('--marks <FILE>', 'what people would have marked, as --labels: taught to the rules at each end')
    .option('--score-from <TIME>', 'score only what starts from then on')
    .option('--compare <DIR>', 'other rules: what they would do differently')
    .option('--json', 'for programs: docs/backtest.md')
    .option('--html <FILE>', 'write a page with charts to FILE')
    .option('--changes <FILE>', 'with --html: changes to draw, as GET /api/v1/changes answers them');
  addSettings(backtesting, ['calendar']);
  addFileFlags(backtesting).action(async (files: string[], options: Omit<BacktestCommandOptions, 'files'>) => {
    const { backtestCommand } = await import('./commands/backtest.ts');
    settle(await backtestCommand({ files, ...options }, io));
  });
  const tuning = program
    .command('tune')
    .description('a proposed change of the tunables as a diff, by labelled incidents, with before and after')
    .argument('<file...>', FILES)
    .requiredOption('--labels <FILE>', 'incidents to score against: start,end,signal')
    .option('--rules <DIR>', 'rules, default the own ones')
    .option('--score-from <TIME>', 'score only what starts from then on')
    .option('--json', 'for programs');
  addSettings(tuning, ['calendar']);
  addFileFlags(tuning).action(async (files: string[], options: Omit<TuneCommandOptions, 'files'>) => {
    const { tuneCommand } = await import('./commands/tune.ts');
    settle(await tuneCommand({ files, ...options }, io));
  });
  program
    .command('simulate')
    .description('generated traffic with labelled incidents, as CSV or as live POSTs')
    .option('--days <N>', 'days of traffic, default 14; with --post until stopped')
    .option('--seed <N>', 'the same seed gives the same traffic, default 1')
    .option(
      '--incident <KIND>',
      `an incident, KIND@TIME, or KIND/VALUE in the traffic of one value of a dimension; may be repeated. ${INCIDENT_KINDS.join(', ')}`,
      collect,
    )
    .option(
      '--scenario <NAME>',
      `traffic of a kind, with incidents of drawn sizes; list says what each is. ${SCENARIO_NAMES.join(', ')}`,
    )
    .option('--start <TIME>', 'first minute, default 2026-01-05T00:00:00Z; with --post now')
    .option('--volume <N>', `mean transactions a minute, default ${DEFAULT_VOLUME}`)
    .option('--dimensions <LIST>', 'labels that share the traffic, such as acquirer,channel=3 (default 8 values each)')
    .option('--labels <FILE>', 'write the incidents to FILE, as start,end,signal,kind')
    .option('--auth-codes', 'counts by auth code instead of by status')
    .option('--post <URL>', 'post each minute to a running service as it ends')
    .option('--token-file <FILE>', 'token of the role ingest, for --post')
    .action(async (options: SimulateCommandOptions) => {
      const { simulateCommand } = await import('./commands/simulate.ts');
      settle(await simulateCommand(options, io));
    });
}

function addAnalyze(program: Command, io: CommandIo, settle: Settle): void {
  const analyzing = program
    .command('analyze')
    .description('what stands out in a file: totals, shares, gaps, worst minutes, suggested sensitivity')
    .argument('<file...>', `${FILES}; or hourly: time,today,yesterday,...`)
    .option('--html <FILE>', 'write a page with charts, complete in itself, to FILE')
    .option('--changes <FILE>', 'with --html: changes to draw, as GET /api/v1/changes answers them')
    .option('--json', 'JSON instead of tables')
    .option('--rules <DIR>', 'whose tunables the suggestion starts from, default the own ones');
  addFileFlags(analyzing).action(async (files: string[], { rules, ...options }: AnalyzeFlags) => {
    const { analyzeCommand } = await import('./commands/analyze.ts');
    settle(await analyzeCommand({ ...options, files, ...(rules !== undefined && { rulesDir: rules }) }, io));
  });
}

/** Adds the commands that ask a service that runs already. */
function addAsking(program: Command, io: CommandIo, settle: Settle): void {
  addServiceFlags(
    program
      .command('change')
      .description('mark a change, such as a deployment, on every chart')
      .argument('<text>', 'what was changed, such as "checkout 2.31"')
      .option('--at <TIME>', 'when, default now')
      .option('--by <NAME>', 'who says so'),
    'operate',
  ).action(async (text: string, options: ChangeOptions) => {
    const { changeCommand } = await import('./commands/change.ts');
    settle(await changeCommand(text, options, io));
  });
}

function addTesting(program: Command, io: CommandIo, settle: Settle): void {
  addSettings(
    program
      .command('doctor')
      .description('what is wrong with this set-up, and what to do')
      .option('--config <DIR>', 'a folder that holds prometheus/rules, default the own one', PROJECT),
    SERVE,
  ).action(async ({ config, ...flags }: Flags & { config: string }) => {
    const { doctor } = await import('./commands/doctor.ts');
    settle(await doctor(readConfig(flags, io.env), config, io));
  });
  addServiceFlags(
    program
      .command('test-alert')
      .description('a test message through the real Alertmanager, and what became of it')
      .option('--receiver <NAME>', 'only this receiver, as alertmanager.yml names it'),
    'operate',
  ).action(async (options: TestAlertOptions) => {
    const { testAlertCommand } = await import('./commands/test-alert.ts');
    settle(await testAlertCommand(options, io));
  });
}

type AnalyzeFlags = Omit<AnalyzeCommandOptions, 'files' | 'rulesDir'> & { rules?: string };

interface ImportFlags {
  rules?: string;
  fromLedger?: boolean;
  until?: number;
}

/**
 * The command table. Each entry gives its exit code to `settle`, and loads its command only when it
 * runs.
 */
function createProgram(io: CommandIo, settle: Settle): Command {
  const program = new Command('tillwatch')
    .description('Tells a payments team when transactions are not as they normally are.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  addServing(program, io, settle);
  addHistory(program, io, settle);
  addAnalyze(program, io, settle);
  addAsking(program, io, settle);
  addTesting(program, io, settle);
  addLedger(program, io, settle, (command) => addSettings(command, ['data', 'ledger']));
  const checking = program
    .command('check')
    .description('validate every rule, route, template and setting')
    .argument('[dir]', 'folder that holds prometheus/ and alertmanager/, default the own ones', PROJECT)
    .option('--tests', 'run the promtool suites in prometheus/tests too, which takes minutes')
    .option(
      '--for <ENGINE>',
      `hold the rules to the limits of ${ENGINES.join(', ')}; DIR may be written by rules --out`,
    );
  addSettings(checking, ['calendar']).action(async (dir: string, flags: Flags & CheckOptions) => {
    const file = readCalendarFile(flags, io.env);
    const options = { tests: flags.tests, for: flags.for, ...(file !== '' && { calendar: file }) } as CheckOptions;
    const output = {
      stdout: (text: string) => io.stdout.write(text),
      stderr: (text: string) => io.stderr.write(text),
    };
    const { check } = await import('./commands/check.ts');
    settle(await check(dir, output, options));
  });
  addRules(program, io, settle);
  addExamples(program);
  return program;
}

function addRules(program: Command, io: CommandIo, settle: Settle): void {
  program
    .command('rules')
    .description('the rules as another engine needs them, from the one source')
    .requiredOption('--for <ENGINE>', ENGINES.join(', '))
    .option('--shards <N>', 'for N Prometheus that share the slices, each with its scrape relabelling')
    .option('--url <URL>', 'where links in messages lead, such as https://tillwatch.example.com')
    .option('--rules <DIR>', 'the source, default the own rules')
    .option('--out <DIR>', 'write files into DIR instead of to stdout')
    .action(async (options: RulesOptions) => {
      const { rulesCommand } = await import('./commands/rules.ts');
      settle(await rulesCommand(options, io));
    });
}

/**
 * Runs one command line, without the program's name.
 * @returns the exit code: 0 done, 1 failed or findings, 2 usage
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  let code = 0;
  const program = createProgram(io, (settled) => {
    code = settled;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    io.stderr.write(`tillwatch: ${messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
