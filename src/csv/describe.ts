import { headerText } from './header-names.ts';
import type { Pass } from './pass.ts';
import type { ReadOptions } from './read-options.ts';
import type { Source } from './source.ts';
import { type Table, writtenAs } from './table.ts';

/** The recognised form of the file, in one line. */
export function describe(
  source: Source,
  { columns, delimiter, before }: Table,
  pass: Pass,
  options: ReadOptions,
): string {
  const { header, time, status, code, count, wide, dimensions, ignored } = columns;
  const name = (column: number) => JSON.stringify(headerText(header, column));
  const { times, state, noRows, words, statuses } = pass;
  const isEvents = count === undefined && wide.length === 0;
  const own = options.times?.zone?.name;
  const zone =
    own === undefined && columns.zone !== undefined
      ? `zone in ${name(columns.zone)}`
      : `${own ?? 'UTC'} unless it has an offset`;
  const order = times.order === undefined ? '' : `${times.order.replace('-', ' ')}, `;
  const translated = [...words].filter(([word, { status: meant }]) => meant !== undefined && meant !== word);
  const wideNames = wide.map((one) => {
    const meant = one.status ?? one.code ?? '';
    const named = headerText(header, one.column);
    return named === meant ? meant : `${JSON.stringify(named)} as ${meant}`;
  });
  return [
    `${source.name}: ${writtenAs(source, delimiter)}`,
    `time in ${time.map(name).join(' and ')} (${order}${zone})`,
    ...(status === undefined ? [] : [`status in ${name(status)}`]),
    ...(code === undefined ? [] : [`auth code in ${name(code)}`]),
    ...(wide.length === 0
      ? []
      : [`a column each: ${wideNames.slice(0, 12).join(', ')}${wide.length > 12 ? ', ...' : ''}`]),
    ...(wide.length > 0
      ? []
      : [count === undefined ? 'no count, each row is one transaction' : `count in ${name(count)}`]),
    ...(options.cumulative ? ['totals that only grow'] : []),
    ...(state.seconds && !isEvents && statuses.repeated.rows > 0 ? ['rows of a minute added up'] : []),
    ...(pass.decimal() === undefined ? [] : [`decimals after "${pass.decimal()}"`]),
    ...(dimensions.length === 0 ? [] : [`dimensions ${dimensions.map(({ label }) => label).join(', ')}`]),
    ...(translated.length === 0
      ? []
      : [
          `statuses: ${translated
            .slice(0, 12)
            .map(([word, { status: meant }]) => `${JSON.stringify(word)} as ${meant}`)
            .join(', ')}`,
        ]),
    ...(ignored.length === 0 ? [] : [`left aside: ${ignored.map((one) => JSON.stringify(one)).join(', ')}`]),
    ...(before === 0
      ? []
      : before < 0
        ? ['no header']
        : [`${before} ${before === 1 ? 'line' : 'lines'} before the header left out`]),
    ...(noRows.headersAgain > 0
      ? [`the header is there again ${noRows.headersAgain} ${noRows.headersAgain === 1 ? 'time' : 'times'}`]
      : []),
    ...(noRows.notes > 0 ? [`${noRows.notes} ${noRows.notes === 1 ? 'line' : 'lines'} of notes left out`] : []),
    ...(state.empty > 0 ? [`${state.empty.toLocaleString('en-US')} empty cells taken for nothing reported`] : []),
    ...(state.ignored > 0 ? [`${state.ignored.toLocaleString('en-US')} rows of ignored statuses left out`] : []),
  ].join('; ');
}
