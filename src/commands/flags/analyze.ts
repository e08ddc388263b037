import type { AnalyzeCommandOptions } from '../analyze.ts';
import type { Define } from '../io.ts';
import { addFileFlags, addPageFlags, FILES } from './files.ts';

type AnalyzeFlags = Omit<AnalyzeCommandOptions, 'files' | 'rulesDir'> & { rules?: string };

export const define: Define = (command, io, settle) => {
  addPageFlags(command.argument('<file...>', `${FILES}; or hourly: time,today,yesterday,...`))
    .option('--json', 'JSON instead of tables')
    .option('--rules <DIR>', 'whose tunables the suggestion starts from, default the own ones');
  addFileFlags(command).action(async (files: string[], { rules, ...options }: AnalyzeFlags) => {
    const { analyzeCommand } = await import('../analyze.ts');
    settle(await analyzeCommand({ ...options, files, ...(rules !== undefined && { rulesDir: rules }) }, io));
  });
};
