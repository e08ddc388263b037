import type { ChangeOptions } from '../change.ts';
import type { Define } from '../io.ts';
import { addServiceFlags } from './service.ts';

export const define: Define = (command, io, settle) => {
  command
    .argument('<text...>', 'what was changed, such as "checkout 2.31"')
    .option('--at <TIME>', 'when, default now')
    .option('--by <NAME>', 'who says so');
  addServiceFlags(command, 'operate').action(async (words: string[], options: ChangeOptions) => {
    const { changeCommand } = await import('../change.ts');
    settle(await changeCommand(words.join(' '), options, io));
  });
};
