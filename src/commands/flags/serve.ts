import { type Flags, readConfig } from '../../config/config.ts';
import type { Define } from '../io.ts';
import { addSettings, SERVICE_SETTINGS } from './settings.ts';

export const define: Define = (command, io, settle) => {
  addSettings(command, SERVICE_SETTINGS).action(async (flags: Flags) => {
    const { serve } = await import('../serve.ts');
    settle(await serve(readConfig(flags, io.env), io));
  });
};
