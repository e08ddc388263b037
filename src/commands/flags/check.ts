import { type Flags, readCalendarFile } from '../../config/config.ts';
import { ENGINES } from '../../engines/engine-names.ts';
import { PROJECT } from '../../runtime/project.ts';
import type { CheckOptions } from '../check.ts';
import type { Define } from '../io.ts';
import { addSettings } from './settings.ts';

export const define: Define = (command, io, settle) => {
  command
    .argument('[dir]', 'folder that holds prometheus/ and alertmanager/, default the own ones', PROJECT)
    .option('--tests', 'run the promtool suites in prometheus/tests too, which takes minutes')
    .option(
      '--for <ENGINE>',
      `hold the rules to the limits of ${ENGINES.join(', ')}; DIR may be written by rules --out`,
    );
  addSettings(command, ['calendar']).action(async (dir: string, flags: Flags & CheckOptions) => {
    const file = readCalendarFile(flags, io.env);
    const options = { tests: flags.tests, for: flags.for, ...(file !== '' && { calendar: file }) } as CheckOptions;
    const output = {
      stdout: (text: string) => io.stdout.write(text),
      stderr: (text: string) => io.stderr.write(text),
    };
    const { check } = await import('../check.ts');
    settle(await check(dir, output, options));
  });
};
