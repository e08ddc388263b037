import { parseArgs } from 'node:util';
import { messageOf } from '../../src/runtime/log.ts';
import { type Row, WARM_UP } from './rounds.ts';
import { findings, loadText, rowsText } from './table.ts';

export interface Options {
  rounds: number;
  /** The length of each measurement under load. */
  seconds: number;
  log: (line: string) => void;
}

export interface Outcome {
  rows: Row[];
  /** Whole lines about the run, printed beside its table. */
  notes?: string;
}

/**
 * Runs `npm run bench:NAME` with its arguments: measures, and prints the table or, with --json,
 * the figures.
 */
export async function benchCommand(
  name: string,
  summary: string,
  defaultSeconds: number,
  measure: (options: Options) => Promise<Outcome>,
): Promise<void> {
  const help = `npm run bench:${name} [-- OPTIONS]
${summary}

  --rounds N   rounds that count, after ${WARM_UP} that do not (default 5)
  --seconds N  of each measurement under load (default ${defaultSeconds})
  --json       the figures beside their goals, as [{"what","goal","figure","met"}]
`;
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: String(defaultSeconds) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  function number(flag: 'rounds' | 'seconds'): number {
    const value = Number(values[flag]);
    if (Number.isInteger(value) && value > 0) return value;
    throw new Error(`--${flag} ${values[flag]}: must be a whole number from 1`);
  }
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  try {
    const log = (line: string) => process.stderr.write(`${line}\n`);
    const { rows, notes } = await measure({ rounds: number('rounds'), seconds: number('seconds'), log });
    if (values.json) process.stdout.write(`${JSON.stringify(findings(rows), null, 2)}\n`);
    else process.stdout.write(`${rowsText(rows)}\n${notes ?? ''}${loadText()}`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
