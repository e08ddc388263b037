import { type Flags, readConfig } from '../../config/config.ts';
import { PROJECT } from '../../runtime/project.ts';
import type { Define } from '../io.ts';
import { addSettings, SERVICE_SETTINGS } from './settings.ts';

export const define: Define = (command, io, settle) => {
  command.option('--config <DIR>', 'a folder that holds prometheus/rules, default the own one', PROJECT);
  addSettings(command, SERVICE_SETTINGS).action(async ({ config, ...flags }: Flags & { config: string }) => {
    const { doctor } = await import('../doctor.ts');
    settle(await doctor(readConfig(flags, io.env), config, io));
  });
};
