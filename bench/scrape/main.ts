import { benchCommand } from '../load/command.ts';
import { measure } from './measure.ts';
import { measureMillion } from './million.ts';
import { millionRow, scrapeRows } from './rows.ts';

await benchCommand(
  'scrape',
  'Serves 100,000 series from the built service, a Pushgateway and prom-client in turns, on loopback, and prints the ratios.',
  5,
  async (options) => ({ rows: [...scrapeRows(await measure(options)), millionRow(await measureMillion(options))] }),
);
