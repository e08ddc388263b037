import type { Command } from 'commander';

/** The examples that `--help` shows last, by the words of the command. */
const EXAMPLES: Record<string, string> = {
  init: 'tillwatch init payments-watch && tillwatch up --config payments-watch',
  serve: 'tillwatch serve --port 8080 --data ./data --dimensions acquirer,merchant',
  up: 'tillwatch up --data ./data --timezone America/Sao_Paulo',
  import: 'tillwatch import transactions.csv auth_codes.csv --data ./data',
  backtest: 'tillwatch backtest transactions.csv --labels incidents.csv --html report.html',
  tune: 'tillwatch tune history.csv --labels incidents.csv > tunables.diff',
  simulate: 'tillwatch simulate --days 14 --incident denied-spike@2026-01-14T17:00:00Z > history.csv',
  analyze: 'tillwatch analyze transactions.csv --html report.html',
  change: 'tillwatch change "checkout 2.31" --by deploy-bot',
  doctor: 'tillwatch doctor --data ./data --prometheus-url http://prometheus:9090',
  'test-alert': 'tillwatch test-alert --receiver slack',
  'ledger backup': 'tillwatch ledger backup --data ./data /backup/ledger-$(date +%F).sqlite',
  'ledger verify': 'tillwatch ledger verify /backup/ledger-2026-11-28.sqlite',
  'ledger export': 'tillwatch ledger export --csv --data ./data > history.csv',
  'ledger copy': 'tillwatch ledger copy ./data postgres://tillwatch@db/tillwatch',
  'ledger sql': 'tillwatch ledger sql "SELECT * FROM days_compared WHERE status = \'denied\'"',
  check: 'tillwatch check payments-watch --for mimir',
  rules: 'tillwatch rules --for vmalert --url https://tillwatch.example.com --out vmalert-rules',
};

/**
 * Adds their examples to the help of a command and of those below it, and that there is help to their errors.
 * @param words the words of the command line before its own
 * @throws Error where a command has no example
 */
export function addExamples(command: Command, words: readonly string[] = []): void {
  const path = [...words, command.name()];
  for (const one of command.commands) addExamples(one, path);
  if (command.commands.length > 0) return;
  const text = EXAMPLES[path.join(' ')];
  if (text === undefined) throw new Error(`src/commands/examples.ts has no example of "${path.join(' ')}"`);
  command.addHelpText('after', `\nExample:\n  ${text}`);
  command.showHelpAfterError(`Help, with an example: tillwatch ${path.join(' ')} --help`);
}
