import { Command, CommanderError } from 'commander';
import { addExamples } from './commands/examples.ts';
import type { CommandIo, Define } from './commands/io.ts';
import { UsageError } from './config/usage-error.ts';
import { messageOf } from './runtime/log.ts';
import { VERSION } from './runtime/project.ts';

interface Entry {
  does: string;
  /** Loads the command's flags, which load its work when it runs. */
  load: () => Promise<{ define: Define }>;
}

const COMMANDS: Record<string, Entry> = {
  init: {
    does: 'write a folder to start from: settings, rules, Alertmanager configuration, compose file',
    load: () => import('./commands/flags/init.ts'),
  },
  serve: { does: 'the HTTP service alone', load: () => import('./commands/flags/serve.ts') },
  up: { does: 'the service with a local Prometheus and Alertmanager', load: () => import('./commands/flags/up.ts') },
  import: {
    does: 'history into Prometheus, recorded series included',
    load: () => import('./commands/flags/import.ts'),
  },
  backtest: {
    does: 'what the rules would have fired on a history',
    load: () => import('./commands/flags/backtest.ts'),
  },
  tune: {
    does: 'a proposed change of the tunables as a diff, by labelled incidents, with before and after',
    load: () => import('./commands/flags/tune.ts'),
  },
  simulate: {
    does: 'generated traffic with labelled incidents, as CSV or as live POSTs',
    load: () => import('./commands/flags/simulate.ts'),
  },
  analyze: {
    does: 'what stands out in a file: totals, shares, gaps, worst minutes, suggested sensitivity',
    load: () => import('./commands/flags/analyze.ts'),
  },
  change: {
    does: 'mark a change, such as a deployment, on every chart',
    load: () => import('./commands/flags/change.ts'),
  },
  doctor: {
    does: 'what is wrong with this set-up, and what to do',
    load: () => import('./commands/flags/doctor.ts'),
  },
  'test-alert': {
    does: 'a test message through the real Alertmanager, and what became of it',
    load: () => import('./commands/flags/test-alert.ts'),
  },
  ledger: {
    does: 'back up, check, export, copy and ask the ledger',
    load: () => import('./commands/flags/ledger.ts'),
  },
  check: {
    does: 'validate every rule, route, template and setting',
    load: () => import('./commands/flags/check.ts'),
  },
  rules: {
    does: 'the rules as another engine needs them, from the one source',
    load: () => import('./commands/flags/rules.ts'),
  },
};

/** Makes the command line, which defines a command only when it is named. */
function createProgram(io: CommandIo, settle: (code: number) => void): Command {
  const program = new Command('tillwatch')
    .description('Tells a payments team when transactions are not as they normally are.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError('All commands: tillwatch --help')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .hook('preSubcommand', async (_, command) => {
      const { define } = await (COMMANDS[command.name()] as Entry).load();
      define(command, io, settle);
      addExamples(command);
    });
  for (const [name, { does }] of Object.entries(COMMANDS)) program.command(name).description(does);
  return program;
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
