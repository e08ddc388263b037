import type { Command } from 'commander';
import { DEFAULT_URL, URL_VARIABLE } from '../ask-service.ts';

/** Adds the flags that say where a running service is, and with which token it is asked. */
export const addServiceFlags = (command: Command, role: string): Command =>
  command
    .option('--url <URL>', `the running service (${URL_VARIABLE}, default ${DEFAULT_URL})`)
    .option('--token-file <FILE>', `token of the role ${role}, where the service asks for one`);
