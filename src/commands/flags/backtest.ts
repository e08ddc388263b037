import type { BacktestCommandOptions } from '../backtest.ts';
import type { Define } from '../io.ts';
import { addFileFlags, addPageFlags, addReplayFlags, FILES } from './files.ts';
import { addSettings } from './settings.ts';

export const define: Define = (command, io, settle) => {
  command
    .argument('<file...>', FILES)
    .option('--labels <FILE>', 'incidents to score against: start,end,signal')
    .option('--marks <FILE>', 'what people would have marked, as --labels: taught to the rules at each end')
    .option('--compare <DIR>', 'other rules: what they would do differently')
    .option('--json', 'for programs: docs/backtest.md');
  addFileFlags(addSettings(addPageFlags(addReplayFlags(command)), ['calendar'])).action(
    async (files: string[], options: Omit<BacktestCommandOptions, 'files'>) => {
      const { backtestCommand } = await import('../backtest.ts');
      settle(await backtestCommand({ files, ...options }, io));
    },
  );
};
