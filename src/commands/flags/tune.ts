import type { Define } from '../io.ts';
import type { TuneCommandOptions } from '../tune.ts';
import { addFileFlags, addReplayFlags, FILES } from './files.ts';
import { addSettings } from './settings.ts';

export const define: Define = (command, io, settle) => {
  command
    .argument('<file...>', FILES)
    .requiredOption('--labels <FILE>', 'incidents to score against: start,end,signal')
    .option('--json', 'for programs');
  addFileFlags(addSettings(addReplayFlags(command), ['calendar'])).action(
    async (files: string[], options: Omit<TuneCommandOptions, 'files'>) => {
      const { tuneCommand } = await import('../tune.ts');
      settle(await tuneCommand({ files, ...options }, io));
    },
  );
};
