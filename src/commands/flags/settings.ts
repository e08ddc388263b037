import type { Command } from 'commander';
import { SETTINGS, type SettingName, variable } from '../../config/config.ts';

/** The settings of a service that asks a Prometheus and an Alertmanager which run elsewhere. */
export const SERVICE_SETTINGS = (Object.keys(SETTINGS) as SettingName[]).filter(
  (name) => !['prometheusPort', 'alertmanagerPort'].includes(name),
);

/** Adds a flag for each of the settings. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, help, default: fallback, ...rest } = SETTINGS[name];
    const value = 'value' in rest ? rest.value : undefined;
    const shown = fallback === '' || value === undefined ? '' : `, default ${fallback}`;
    command.option(`--${flag}${value === undefined ? '' : ` <${value}>`}`, `${help} (${variable(flag)}${shown})`);
  }
  return command;
}
