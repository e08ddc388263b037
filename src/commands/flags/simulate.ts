import { DEFAULT_VOLUME } from '../../simulator/feed.ts';
import { INCIDENT_KINDS } from '../../simulator/incidents.ts';
import { SCENARIO_NAMES } from '../../simulator/scenarios.ts';
import type { Define } from '../io.ts';
import type { SimulateCommandOptions } from '../simulate.ts';

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export const define: Define = (command, io, settle) => {
  command
    .option('--days <N>', 'days of traffic, default 14; with --post until stopped')
    .option('--seed <N>', 'the same seed gives the same traffic, default 1')
    .option(
      '--incident <KIND>',
      `an incident, KIND@TIME, or KIND/VALUE in the traffic of one value of a dimension; may be repeated. ${INCIDENT_KINDS.join(', ')}`,
      collect,
    )
    .option(
      '--scenario <NAME>',
      `traffic of a kind, with incidents of drawn sizes; list says what each is. ${SCENARIO_NAMES.join(', ')}`,
    )
    .option('--start <TIME>', 'first minute, default 2026-01-05T00:00:00Z; with --post now')
    .option('--volume <N>', `mean transactions a minute, default ${DEFAULT_VOLUME}`)
    .option('--dimensions <LIST>', 'labels that share the traffic, such as acquirer,channel=3 (default 8 values each)')
    .option('--labels <FILE>', 'write the incidents to FILE, as start,end,signal,kind')
    .option('--auth-codes', 'counts by auth code instead of by status')
    .option('--post <URL>', 'post each minute to a running service as it ends')
    .option('--token-file <FILE>', 'token of the role ingest, for --post')
    .action(async (options: SimulateCommandOptions) => {
      const { simulateCommand } = await import('../simulate.ts');
      settle(await simulateCommand(options, io));
    });
};
