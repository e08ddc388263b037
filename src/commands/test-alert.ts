import type { Outcome } from '../alerting/test-alert.ts';
import { type ServiceFlags, serviceAt } from './ask-service.ts';
import type { CommandIo } from './io.ts';

export interface TestAlertOptions extends ServiceFlags {
  receiver?: string;
}

/** Has a running service send a test alert. @returns 0 where every receiver took it, else 1 */
export async function testAlertCommand(options: TestAlertOptions, io: CommandIo): Promise<number> {
  const { receiver } = options;
  const ask = serviceAt(options, io.env);
  io.stderr.write('sending a test alert and waiting for its fate, up to 40 s\n');
  const { outcomes } = (await ask('POST', '/api/v1/test-alert', receiver === undefined ? {} : { receiver })) as {
    outcomes: Outcome[];
  };
  for (const { receiver, kind, result, reason } of outcomes)
    io.stdout.write(`${receiver} (${kind}): ${result}: ${reason}\n`);
  if (outcomes.length === 0) io.stdout.write('the receiver has nothing that messages could be sent to\n');
  return outcomes.length > 0 && outcomes.every(({ result }) => result === 'delivered') ? 0 : 1;
}
