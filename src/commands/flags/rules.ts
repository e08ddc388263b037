import { ENGINES } from '../../engines/engine-names.ts';
import type { Define } from '../io.ts';
import type { RulesOptions } from '../rules.ts';

export const define: Define = (command, io, settle) => {
  command
    .requiredOption('--for <ENGINE>', ENGINES.join(', '))
    .option('--shards <N>', 'for N Prometheus that share the slices, each with its scrape relabelling')
    .option('--url <URL>', 'where links in messages lead, such as https://tillwatch.example.com')
    .option('--rules <DIR>', 'the source, default the own rules')
    .option('--out <DIR>', 'write files into DIR instead of to stdout')
    .action(async (options: RulesOptions) => {
      const { rulesCommand } = await import('../rules.ts');
      settle(await rulesCommand(options, io));
    });
};
