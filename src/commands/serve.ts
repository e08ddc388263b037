import type { Config } from '../config/config.ts';
import { startServer } from '../http/server.ts';
import { createLog } from '../runtime/log.ts';
import { type CommandIo, untilStopped } from './io.ts';

/** Runs the HTTP service until it is told to stop. */
export async function serve(config: Config, io: CommandIo): Promise<number> {
  const log = createLog((line) => io.stderr.write(line));
  const server = await startServer(config, log);
  const reason = await untilStopped(io.signal);
  log('info', `${reason}: answering what is open, then stopping`);
  await server.close();
  log('info', 'stopped');
  return 0;
}
