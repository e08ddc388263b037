import type { Command } from 'commander';

export const FILES = 'tables of counts by minute and status or auth code, in CSV of any kind; - for stdin';

/** Adds the flags that overrule what is recognised in a file. */
export const addFileFlags = (command: Command): Command =>
  command
    .option(
      '--columns <PAIRS>',
      'which column is which: time=when,status=outcome,count=n (names, or numbers from 1 on)',
    )
    .option('--delimiter <SIGN>', 'comma, semicolon, tab, pipe or one character')
    .option('--decimal <SIGN>', '. or , : the sign that begins decimals')
    .option('--date <DATE>', 'the day of times such as "13h 05"')
    .option('--date-format <FORMAT>', 'DD/MM/YYYY, MM/DD/YYYY, ...; or s, ms, us, ns of epoch numbers')
    .option(
      '--timezone <ZONE>',
      'of times without offset, and of --calendar: America/Sao_Paulo, -03:00 (TILLWATCH_TIMEZONE, default UTC)',
    )
    .option('--status-map <FILE>', 'what further status words mean: lines such as "PAID: approved"')
    .option(
      '--dimensions <NAMES>',
      'columns that become labels, such as acquirer,merchant; or all (TILLWATCH_DIMENSIONS)',
    )
    .option('--profile <FILE>', 'YAML that holds these flags')
    .option('--cumulative', 'numbers are totals that only grow: take what each minute added')
    .option('--skip-bad-rows', 'leave out and count bad rows, instead of refusing the file');

/** Adds the flags of a command that plays files through the rules. */
export const addReplayFlags = (command: Command): Command =>
  command
    .option('--rules <DIR>', 'rules, default the own ones')
    .option('--score-from <TIME>', 'score only what starts from then on');

/** Adds the flags of a command that writes charts into a page. */
export const addPageFlags = (command: Command): Command =>
  command
    .option('--html <FILE>', 'write a page with charts, complete in itself, to FILE')
    .option('--changes <FILE>', 'with --html: changes to draw, as GET /api/v1/changes answers them');
