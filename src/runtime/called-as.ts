import { isAbsolute, relative } from 'node:path';

/**
 * The words before a command's name with which the program was called, so that what it tells people
 * to type works for them: `tillwatch`, `npx tillwatch`, `npm run -s tillwatch --` or `node FILE`.
 * @param script the program's path as it was called, `process.argv[1]`
 */
export function calledAs(script: string, env: NodeJS.ProcessEnv, folder = process.cwd()): string {
  // npx runs what a folder has installed, or what it keeps in a folder of its own.
  if (/[\\/]node_modules[\\/]/.test(script))
    return /[\\/]\.bin[\\/]/.test(script) || env.npm_command === 'exec' ? 'npx tillwatch' : 'tillwatch';
  if (!script.endsWith('.js')) return 'tillwatch';
  if (env.npm_lifecycle_event === 'tillwatch') return 'npm run -s tillwatch --';
  const near = relative(folder, script);
  return `node ${near.startsWith('..') || isAbsolute(near) ? script : near}`;
}
