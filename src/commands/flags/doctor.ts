import { type Flags, readConfig } from '../../config/config.ts';
import { PROJECT } from '../../runtime/project.ts';
import type { Define } from '../io.ts';
import { addSettings, SERVICE_SETTINGS } from './settings.ts';

export const define: Define = (command, io, settle) => {
  command.option('--config <DIR>', 'a folder made by init: its settings and its rules; default the own rules');
  addSettings(command, SERVICE_SETTINGS).action(async ({ config: folder, ...flags }: Flags & { config?: string }) => {
    const { doctor } = await import('../doctor.ts');
    const { settingsOfRunning } = await import('../settings-file.ts');
    const env = folder === undefined ? io.env : settingsOfRunning(folder, io.env);
    settle(await doctor(readConfig(flags, env), folder ?? PROJECT, io));
  });
};
