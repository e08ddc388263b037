import { resolve } from 'node:path';
import { type Flags, SETTINGS, type SettingName } from '../../config/config.ts';
import type { Define } from '../io.ts';
import { addSettings } from './settings.ts';

const NAMES = (Object.keys(SETTINGS) as SettingName[]).filter(
  (name) => !['prometheusUrl', 'alertmanagerUrl'].includes(name),
);

type UpFlags = Flags & { demo?: boolean; config?: string };

export const define: Define = (command, io, settle) => {
  command
    .option('--demo', 'with 14 days of generated history, and generated traffic from now on')
    .option('--config <DIR>', 'a folder made by init: settings, rules, Alertmanager configuration');
  addSettings(command, NAMES).action(async ({ demo, config, ...flags }: UpFlags) => {
    const { up } = await import('../up.ts');
    settle(await up(flags, { demo: demo === true, folder: config && resolve(config) }, io));
  });
};
