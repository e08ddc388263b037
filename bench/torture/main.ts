import { tortureCommand } from './command.ts';

process.exitCode = await tortureCommand(process.argv.slice(2));
