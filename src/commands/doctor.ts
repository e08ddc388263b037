import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { lookAtAlertmanager } from '../doctor/alertmanager.ts';
import { lookAtMachine } from '../doctor/machine.ts';
import { lookAtPrometheus } from '../doctor/prometheus.ts';
import type { CommandIo } from './io.ts';

/**
 * Says what is wrong with a set-up, and what to do. @param folder holds prometheus/rules @returns 1
 * with findings
 */
export async function doctor(config: Config, folder: string, io: CommandIo): Promise<number> {
  const parts = await Promise.all([
    lookAtMachine(config),
    lookAtPrometheus(config.prometheusUrl, resolve(folder)),
    lookAtAlertmanager(config.alertmanagerUrl),
  ]);
  const looked = parts.flat();
  for (const { what, wrong, awaited } of looked) {
    const sign = wrong !== undefined ? 'WRONG' : awaited !== undefined ? 'wait ' : 'ok   ';
    const why = wrong ?? awaited;
    io.stdout.write(`${sign} ${what}\n${why === undefined ? '' : `      ${why}\n`}`);
  }
  const findings = looked.filter(({ wrong }) => wrong !== undefined).length;
  io.stdout.write(findings === 0 ? 'nothing is wrong\n' : `${findings} of ${looked.length} are wrong\n`);
  return findings === 0 ? 0 : 1;
}
