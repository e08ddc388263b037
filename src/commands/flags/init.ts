import type { Define } from '../io.ts';

export const define: Define = (command, io, settle) => {
  command.argument('[dir]', 'where; what exists there is kept', '.').action(async (dir: string) => {
    const { init } = await import('../init.ts');
    settle(await init(dir, io));
  });
};
