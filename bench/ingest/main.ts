import { benchCommand } from '../load/command.ts';
import { measure } from './measure.ts';
import { costText, generatorText, ingestRows, inPlaceText } from './rows.ts';
import { sharedRows } from './shared.ts';
import { storedRows } from './stored.ts';

await benchCommand(
  'ingest',
  'Posts reports to the built service, to a Pushgateway and to a plain Koa program in turns, on loopback, and prints the ratios.',
  2,
  async (options) => {
    const measured = await measure(options);
    return {
      rows: [
        ...ingestRows(measured),
        ...(await storedRows(options.seconds, options.log)),
        ...(await sharedRows(options)),
      ],
      notes: `${costText(measured)}${inPlaceText(measured)}${generatorText(measured)}`,
    };
  },
);
