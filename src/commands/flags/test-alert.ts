import type { Define } from '../io.ts';
import type { TestAlertOptions } from '../test-alert.ts';
import { addServiceFlags } from './service.ts';

export const define: Define = (command, io, settle) => {
  command.option('--receiver <NAME>', 'only this receiver, as alertmanager.yml names it');
  addServiceFlags(command, 'operate').action(async (options: TestAlertOptions) => {
    const { testAlertCommand } = await import('../test-alert.ts');
    settle(await testAlertCommand(options, io));
  });
};
