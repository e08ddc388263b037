import type { Change } from '../ledger/ledger.ts';
import { type ServiceFlags, serviceAt } from './ask-service.ts';
import type { CommandIo } from './io.ts';

export interface ChangeOptions extends ServiceFlags {
  at?: string;
  by?: string;
}

/** Tells a running service of a change. @returns the exit code */
export async function changeCommand(text: string, options: ChangeOptions, io: CommandIo): Promise<number> {
  const { at, by } = options;
  const ask = serviceAt(options, io.env);
  const change = { text, ...(at !== undefined && { at }), ...(by !== undefined && { by }) };
  const kept = (await ask('POST', '/api/v1/changes', change)) as Pick<Change, 'text'> & { at: string };
  io.stdout.write(`${kept.at} ${kept.text}: drawn on the charts\n`);
  return 0;
}
