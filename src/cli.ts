import { Command, CommanderError } from 'commander';
import type { CommandIo } from './commands/io.ts';
import { serve } from './commands/serve.ts';
import { type Config, type Flags, readConfig, SETTINGS, UsageError, variable } from './config.ts';
import { messageOf } from './log.ts';
import { VERSION } from './server.ts';

const SERVE = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];

function addSettings(command: Command, names: readonly (keyof typeof SETTINGS)[]): Command {
  for (const name of names) {
    const { flag, value, help, default: fallback } = SETTINGS[name] as (typeof SETTINGS)['host'] & { value?: string };
    const shown = fallback === '' || value === undefined ? '' : `, default ${fallback}`;
    const flags = value === undefined ? `--${flag}` : `--${flag} <${value}>`;
    command.option(flags, `${help} (${variable(flag)}${shown})`);
  }
  return command;
}

type Settle = (code: number) => void;

/** The command table. Each entry gives its exit code to `settle`. */
function createProgram(io: CommandIo, settle: Settle): Command {
  const program = new Command('tillwatch')
    .description('Tells a payments team when transactions are not as they normally are.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const config = (flags: Flags): Config => readConfig(flags, io.env);
  addSettings(program.command('serve').description('the HTTP service alone'), SERVE).action(async (flags: Flags) =>
    settle(await serve(config(flags), io)),
  );
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
