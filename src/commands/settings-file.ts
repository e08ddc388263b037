import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** The file of settings in a folder made by `init`, which Docker Compose reads too. */
export const SETTINGS_FILE = '.env';

/** What that file sets; nothing where it is not there. */
export function settingsIn(folder: string): NodeJS.Dict<string> {
  const file = join(folder, SETTINGS_FILE);
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}

/**
 * The settings of `up --config FOLDER`. Its data is in the folder by default. The environment wins.
 */
export function settingsOf(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { TILLWATCH_DATA: join(folder, 'data'), ...settingsIn(folder), ...env };
}

/** The same for a command that asks what `up` runs: with its addresses. */
export function settingsOfRunning(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings = settingsOf(folder, env);
  const at = (name: 'PROMETHEUS' | 'ALERTMANAGER') => {
    const port = settings[`TILLWATCH_${name}_PORT`];
    return port && { [`TILLWATCH_${name}_URL`]: `http://127.0.0.1:${port}` };
  };
  return { ...at('PROMETHEUS'), ...at('ALERTMANAGER'), ...settings };
}
